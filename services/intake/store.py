"""Intake's tables and how its aggregates are kept in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from secrets import token_bytes
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    false,
    func,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session, aliased, registry

from chassis.store import identity_map
from chassis.store.append_only import forbid_changes, forbidding, forbidding_replacement
from chassis.store.prepared import prepared
from chassis.store.tables import Instant, code, data_key_table, new_metadata
from chassis.store.unit_of_work import upsert
from contracts.commands.intake import Assess, TellApart
from contracts.vocabulary import (
    ApartReason,
    ClientGroup,
    Competence,
    ConcernCategory,
    ConcernId,
    ContactChangeState,
    HoldReason,
    LinkId,
    LinkKind,
    LinkReason,
    MarkKind,
    OverrideReason,
    Party,
    PlaceKind,
    ReferralId,
    RefusalReason,
    RiskLevel,
    Severity,
    SubmissionId,
    SuggestionUse,
    UnlinkReason,
    Work,
)
from services.intake.domain.contact_change import ContactChange
from services.intake.domain.links import Link
from services.intake.domain.passphrases import Guard
from services.intake.domain.privacy import Erasure, Hold
from services.intake.domain.referral import UNASSESSED, Referral, State, Step
from services.intake.domain.safeguarding import Concern
from services.intake.domain.suggestion import Suggestion
from services.intake.privacy_tables import privacy_tables

metadata = new_metadata()
mapper = registry(metadata=metadata)
data_keys = data_key_table(metadata)


referrals = Table(
    "referral",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("submission_id", Uuid, nullable=False, unique=True),
    Column("reference", String(11), nullable=False, unique=True),
    Column("client_group", code(ClientGroup), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("assess_by", Instant, nullable=False),
    Column("passphrase_mark", LargeBinary, nullable=False),
    Column("passphrase_subject", Uuid),
    Column("state", code(State), nullable=False, index=True),
    Column("state_before", code(State)),
    Column("steps_taken", Integer, nullable=False),
    Column("place", code(PlaceKind), nullable=False),
    Column("young", Boolean, nullable=False),
    Column("lead_signed", Boolean, nullable=False),
    Column("previous_id", Uuid),
    Column("merged_into", Uuid),
    Column("match_id", Uuid),
    Column("therapist_id", Uuid),
    Column("attended_match_id", Uuid),
    Column("billing_sequence", Integer, nullable=False),
    Column("matching_sequence", Integer, nullable=False),
    Column("failed_passphrases", Integer, nullable=False),
    Column("locked_until", Instant),
    Column("client_agrees", Boolean, nullable=False, server_default=true()),
    Column("may_pass_on", Boolean, nullable=False, server_default=true()),
    Column("held_for", code(HoldReason)),
    Column("undo_to", code(State)),
    Column("undo_until", Instant),
    Column("waits_for_money", Boolean, nullable=False, server_default=false()),
    Column("money_sequence", Integer, nullable=False, server_default="0"),
)
for _tie in (referrals.c.merged_into, referrals.c.previous_id):  # few have either
    Index(None, _tie, sqlite_where=_tie.is_not(None), postgresql_where=_tie.is_not(None))

# What a front-end sent and could not be read, sealed as it came.
unreadable = Table(
    "unreadable_submission",
    metadata,
    Column("submission_id", Uuid, primary_key=True),
    Column("event", String(64), nullable=False),
    Column("form", String(64)),
    Column("form_version", Integer),
    Column("sealed", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("reason", code(RefusalReason), nullable=False),
    Column("field", String(64)),
)

# What references that nobody has are tried against.
decoys = Table(
    "decoy",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("passphrase_mark", LargeBinary, nullable=False),
    Column("passphrase_subject", Uuid),
    Column("failed_passphrases", Integer, nullable=False),
    Column("locked_until", Instant),
)

# Only ever added to: what a step was, when, by whom and why.
steps = Table(
    "referral_step",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("step", code(Step), nullable=False),
    Column("state", code(State), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("taken_by", String(120), nullable=False),
    Column("reason", String(64)),
    Column("note", LargeBinary),
)
WHY_STEPS_STAY = "steps of a referral are only ever added"
STEPS_FORBIDDING = forbidding("referral_step", WHY_STEPS_STAY)
STEPS_FORBIDDING_REPLACEMENT = forbidding_replacement("referral_step", WHY_STEPS_STAY, ("referral_id", "number"))
forbid_changes(steps, STEPS_FORBIDDING, STEPS_FORBIDDING_REPLACEMENT)

personal_records = Table(
    "personal_record",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("form", String(64), nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

assessments = Table(
    "assessment",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("assessed_at", Instant, nullable=False),
    Column("assessor", String(120), nullable=False),
    Column("risk_level", code(RiskLevel)),
    Column("competence", code(Competence)),
    Column("work", code(Work)),
    Column("policy_version", Integer),
    Column("suggested_risk_level", code(RiskLevel)),
    Column("suggested_competence", code(Competence)),
    Column("suggested_work", code(Work)),
    Column("suggestion", code(SuggestionUse)),
    Column("override_reason", code(OverrideReason)),
    Column("content", LargeBinary, nullable=False),
)

# They hang on the client's data key, without which nothing may recognise the client.
marks = Table(
    "identity_mark",
    metadata,
    Column("referral_id", Uuid, ForeignKey("data_key.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("kind", code(MarkKind), primary_key=True),
    Column("mark", LargeBinary(32), nullable=False, index=True),
)

duplicates = Table(
    "possible_duplicate",
    metadata,
    Column("referral_id", Uuid, ForeignKey("data_key.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", Uuid, ForeignKey("data_key.subject_id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("kind", code(MarkKind), primary_key=True),
    Column("found_at", Instant, nullable=False, index=True),
)

# It hangs on the client's data key, too, without which nobody can read what it holds.
contact_changes = Table(
    "contact_change",
    metadata,
    Column("referral_id", Uuid, ForeignKey("data_key.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("whose", code(Party), nullable=False),
    Column("content", LargeBinary),
    Column("old_is_safe", Boolean, nullable=False),
    Column("code_mark", LargeBinary(32)),
    Column("tries_left", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", code(ContactChangeState), nullable=False),
    Column("codes", Integer, nullable=False),
    Column("codes_since", Instant, nullable=False),
)

# A person's finding that two requests are not the same, whichever of them is named first.
told_apart = Table(
    "told_apart",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("other_id", Uuid, ForeignKey("referral.id"), primary_key=True, index=True),
    Column("told_at", Instant, nullable=False),
    Column("told_by", String(120), nullable=False),
    Column("reason", code(ApartReason), nullable=False),
)

links = Table(
    "link",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("other_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("kind", code(LinkKind), nullable=False),
    Column("linked_at", Instant, nullable=False),
    Column("linked_by", String(120), nullable=False),
    Column("reason", code(LinkReason), nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", String(120)),
    Column("undone_reason", code(UnlinkReason)),
)

concerns = Table(
    "safeguarding_concern",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("severity", code(Severity), nullable=False),
    Column("category", code(ConcernCategory), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("raised_by", String(120), nullable=False),
    Column("acknowledged_at", Instant),
)

privacy = privacy_tables(metadata)

mapper.map_imperatively(Referral, referrals)
mapper.map_imperatively(Concern, concerns)
mapper.map_imperatively(ContactChange, contact_changes)
mapper.map_imperatively(Link, links)
mapper.map_imperatively(Erasure, privacy.erasure)
mapper.map_imperatively(Hold, privacy.legal_hold)

# Every request and assessment runs these, so they are built once.
_BY_REFERENCE = prepared(select(Referral).where(referrals.c.reference == bindparam("reference")).with_for_update())
_GUARDS = {
    table: select(*(table.c[one.name] for one in fields(Guard))).with_for_update() for table in (referrals, decoys)
}
_GUARD = prepared(_GUARDS[referrals].where(referrals.c.reference == bindparam("reference")))
_DECOY = prepared(_GUARDS[decoys].where(decoys.c.id == bindparam("decoy_id")))
_BY_SUBMISSION = prepared(select(Referral).where(referrals.c.submission_id == bindparam("submission_id")))
_HISTORY = prepared(select(steps).where(steps.c.referral_id == bindparam("referral_id")).order_by(steps.c.number))
_RECORD = prepared(select(personal_records.c.content).where(personal_records.c.referral_id == bindparam("referral_id")))
_LIVE_LINKS = prepared(
    select(Link)
    .where(
        (links.c.referral_id == bindparam("referral_id")) | (links.c.other_id == bindparam("referral_id")),
        links.c.undone_at.is_(None),
    )
    .order_by(links.c.linked_at, links.c.id)
)
_NEW_MARK = prepared(marks.insert())
_ALIKE = (
    select(marks.c.referral_id, marks.c.kind)
    .where(marks.c.mark.in_(bindparam("marks", expanding=True)))
    .order_by(marks.c.referral_id.desc())
    .limit(50)
)
_TOLD_APART = (
    select(told_apart.c.referral_id)
    .where(told_apart.c.referral_id == duplicates.c.referral_id, told_apart.c.other_id == duplicates.c.other_id)
    .exists()
)
_NEW_RECORD, _NEW_ASSESSMENT = prepared(personal_records.insert()), prepared(assessments.insert())


class Form(NamedTuple):
    """Which form a client filled in."""

    name: str
    version: int


class Pair(NamedTuple):
    """Two referrals that may be the same, the later first, and what they have in common."""

    referral: Referral
    other: Referral
    alike: tuple[MarkKind, ...]
    found_at: datetime


class NoSuchReferral(LookupError):
    """Intake holds no referral of this identity."""


def get_referral(session: Session, referral_id: ReferralId) -> Referral:
    """Raises NoSuchReferral."""
    referral = find_referral(session, referral_id)
    if referral is None:
        raise NoSuchReferral(f"there is no referral {referral_id}")
    return referral


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return identity_map.lock(session, Referral, referral_id)


def previous_of(session: Session, referral_id: ReferralId) -> ReferralId | None:
    """The referral that this one takes up again."""
    return session.execute(select(referrals.c.previous_id).where(referrals.c.id == referral_id)).scalar_one_or_none()


def find_by_reference(session: Session, reference: str) -> Referral | None:
    return session.execute(_BY_REFERENCE, {"reference": reference}).scalar_one_or_none()


def id_of_reference(session: Session, reference: str) -> ReferralId | None:
    """Whose reference it is, locking nothing."""
    return session.execute(select(referrals.c.id).where(referrals.c.reference == reference)).scalar_one_or_none()


def find_guard(session: Session, reference: str) -> Guard | None:
    """A referral's, locked until the unit ends."""
    return _guard(session.execute(_GUARD, {"reference": reference}).one_or_none())


def find_decoy(session: Session, decoy_id: UUID) -> Guard | None:
    return _guard(session.execute(_DECOY, {"decoy_id": decoy_id}).one_or_none())


def make_decoy(session: Session, decoy_id: UUID) -> Guard:
    """One that was not there yet, with a mark that no passphrase leaves."""
    made = {"id": decoy_id, "passphrase_mark": token_bytes(32), "failed_passphrases": 0}
    session.execute(upsert(session, decoys).values(made).on_conflict_do_nothing())
    decoy = find_decoy(session, decoy_id)
    assert decoy is not None
    return decoy


def save_tries(session: Session, table: Table, guard: Guard) -> None:
    """How often and until when, of a referral's guard or a decoy."""
    tries = {"failed_passphrases": guard.failed_passphrases, "locked_until": guard.locked_until}
    session.execute(update(table).where(table.c.id == guard.id).values(tries))


def _guard(row: Row[Any] | None) -> Guard | None:
    return None if row is None else Guard(*tuple(row))


def find_by_submission(session: Session, submission_id: SubmissionId) -> Referral | None:
    return session.execute(_BY_SUBMISSION, {"submission_id": submission_id}).scalar_one_or_none()


def awaiting_assessment(session: Session, limit: int) -> list[Referral]:
    """The longest waiting first."""
    waiting = select(Referral).where(referrals.c.state.in_(UNASSESSED)).order_by(referrals.c.received_at)
    return list(session.execute(waiting.limit(limit)).scalars())


def takers_of(session: Session, step: Step, referral_ids: Iterable[ReferralId]) -> dict[ReferralId, str]:
    """Who last took this step, by referral."""
    wanted = select(steps.c.referral_id, steps.c.taken_by).where(
        steps.c.step == step, steps.c.referral_id.in_(list(referral_ids))
    )
    return {ReferralId(id_): by for id_, by in session.execute(wanted.order_by(steps.c.number))}


def history_of(session: Session, referral_id: ReferralId) -> Sequence[Row[Any]]:
    """Every step of a referral, the first first."""
    session.flush()
    return session.execute(_HISTORY, {"referral_id": referral_id}).all()


def last_taken(session: Session, referral_id: ReferralId, step: Step, *, since: Collection[Step]) -> datetime | None:
    """When a step was last taken, unless one of the others came after it."""
    last = None
    for one in history_of(session, referral_id):
        if one.step is step:
            last = one.taken_at
        elif one.step in since:
            last = None
    return last


def find_contact_change(session: Session, referral_id: ReferralId) -> ContactChange | None:
    """Locked until the unit ends."""
    return identity_map.lock(session, ContactChange, referral_id)


def new_contact_change(session: Session, referral_id: ReferralId, *, at: datetime) -> ContactChange:
    change = ContactChange(
        referral_id=referral_id,
        whose=Party.CLIENT,
        content=None,
        old_is_safe=False,
        code_mark=None,
        tries_left=0,
        asked_at=at,
        state=ContactChangeState.CODE_SENT,
        codes_since=at,
    )
    session.add(change)
    return change


def save_personal_record(session: Session, referral: Referral, version: Form, content: bytes) -> None:
    session.flush()
    row = {"referral_id": referral.id, "form": version.name, "form_version": version.version, "content": content}
    session.execute(_NEW_RECORD, row)


def correct_personal_record(session: Session, referral_id: ReferralId, content: bytes) -> None:
    changed = update(personal_records).where(personal_records.c.referral_id == referral_id)
    session.execute(changed.values(content=content))


def get_personal_record(session: Session, referral_id: ReferralId) -> bytes:
    """The encrypted record. Raises NoSuchReferral."""
    content: bytes | None = session.execute(_RECORD, {"referral_id": referral_id}).scalar()
    if content is None:
        raise NoSuchReferral(f"there is no record of referral {referral_id}")
    return content


def form_of(session: Session, referral_id: ReferralId) -> Form:
    wanted = select(personal_records.c.form, personal_records.c.form_version)
    return Form(*session.execute(wanted.where(personal_records.c.referral_id == referral_id)).one())


def save_assessment(session: Session, decided: Assess, suggested: Suggestion, content: bytes, at: datetime) -> None:
    """Keeps what a person decided beside what was suggested; `content` is the encrypted aspects."""
    row = {
        "referral_id": decided.referral_id,
        "assessed_at": at,
        "assessor": decided.assessor,
        "risk_level": decided.risk_level,
        "competence": decided.competence,
        "work": decided.work,
        "policy_version": suggested.policy_version,
        "suggested_risk_level": suggested.risk_level,
        "suggested_competence": suggested.competence,
        "suggested_work": suggested.work,
        "suggestion": decided.suggestion,
        "override_reason": decided.override_reason,
        "content": content,
    }
    session.execute(_NEW_ASSESSMENT, row)


@dataclass(frozen=True)
class Assessed:
    """What a person decided about a referral, as far as the search goes by it."""

    assessed_at: datetime
    risk_level: RiskLevel
    competence: Competence
    work: Work


def find_assessment(session: Session, referral_id: ReferralId) -> Assessed | None:
    """None before the assessment, and of one from before it was kept for the search."""
    columns = (assessments.c.assessed_at, assessments.c.risk_level, assessments.c.competence, assessments.c.work)
    of_search = (assessments.c.referral_id == referral_id, assessments.c.competence.is_not(None))
    found = session.execute(select(*columns).where(*of_search)).one_or_none()
    return Assessed(*found) if found else None


def save_marks(session: Session, referral_id: ReferralId, found: Mapping[MarkKind, bytes]) -> None:
    rows_ = [{"referral_id": referral_id, "kind": kind, "mark": mark} for kind, mark in found.items()]
    session.execute(_NEW_MARK, rows_)


def drop_marks(session: Session, referral_id: ReferralId) -> None:
    session.execute(marks.delete().where(marks.c.referral_id == referral_id))


def save_possible_duplicates(
    session: Session,
    referral: Referral,
    found: Collection[bytes],
    at: datetime,
    *,
    but: Collection[ReferralId] = (),
) -> None:
    """Records whose marks are among those found, but for some; of very many the newest are enough."""
    alike = session.execute(_ALIKE, {"marks": list(found)}).all()
    pairs = [
        {"referral_id": max(referral.id, id_), "other_id": min(referral.id, id_), "kind": kind, "found_at": at}
        for id_, kind in alike
        if id_ != referral.previous_id and id_ not in but
    ]
    if pairs:
        session.execute(upsert(session, duplicates).on_conflict_do_nothing(), pairs)


def possible_duplicates(session: Session, referral_id: ReferralId | None, limit: int) -> list[Pair]:
    """Pairs of which neither is merged into another, nor told apart, the newest first. Of one referral, or of all."""
    one_table, other_table = referrals.alias("later"), referrals.alias("earlier")
    wanted = (
        select(aliased(Referral, one_table), aliased(Referral, other_table), duplicates.c.kind, duplicates.c.found_at)
        .select_from(
            duplicates.join(one_table, one_table.c.id == duplicates.c.referral_id).join(
                other_table, other_table.c.id == duplicates.c.other_id
            )
        )
        .where(one_table.c.merged_into.is_(None), other_table.c.merged_into.is_(None), ~_TOLD_APART)
        .order_by(duplicates.c.found_at.desc(), duplicates.c.referral_id, duplicates.c.other_id, duplicates.c.kind)
    )
    if referral_id is not None:
        wanted = wanted.where((duplicates.c.referral_id == referral_id) | (duplicates.c.other_id == referral_id))
    pairs: dict[tuple[ReferralId, ReferralId], Pair] = {}
    for one, other, kind, at in session.execute(wanted.limit(limit * len(MarkKind))):
        known = pairs.get((one.id, other.id))
        pairs[one.id, other.id] = Pair(one, other, (*(known.alike if known else ()), kind), at)
    return list(pairs.values())[:limit]


def tell_apart(session: Session, one_id: ReferralId, other_id: ReferralId, told: TellApart, *, at: datetime) -> bool:
    """False if somebody had told them apart before."""
    later, earlier = max(one_id, other_id), min(one_id, other_id)
    row = {"referral_id": later, "other_id": earlier, "told_at": at, "told_by": told.staff, "reason": told.reason}
    added = upsert(session, told_apart).values(row).on_conflict_do_nothing().returning(told_apart.c.other_id)
    return session.execute(added).first() is not None


def unmarked(session: Session, after: ReferralId | None, limit: int) -> list[Referral]:
    """Referrals that are not erased and have no mark, the oldest first, after one of them."""
    has_mark = select(marks.c.referral_id).where(marks.c.referral_id == referrals.c.id).exists()
    wanted = select(Referral).join(personal_records, personal_records.c.referral_id == referrals.c.id).where(~has_mark)
    if after is not None:
        wanted = wanted.where(referrals.c.id > after)
    return list(session.execute(wanted.order_by(referrals.c.id).limit(limit)).scalars())


def taken_up_by(session: Session, referral_id: ReferralId) -> frozenset[ReferralId]:
    """The newer referrals of somebody who asked again."""
    newer = select(referrals.c.id).where(referrals.c.previous_id == referral_id)
    return frozenset(map(ReferralId, session.execute(newer).scalars()))


def find_link(session: Session, link_id: LinkId) -> Link | None:
    return identity_map.lock(session, Link, link_id)


def live_links_of(session: Session, referral_id: ReferralId) -> list[Link]:
    """The links that stand, the first first."""
    return list(session.execute(_LIVE_LINKS, {"referral_id": referral_id}).scalars())


def who_took(session: Session, taken: Iterable[Step], referral_ids: Iterable[ReferralId]) -> set[str]:
    """The names of those who took any of these steps with any of these referrals."""
    wanted = select(steps.c.taken_by).where(steps.c.step.in_(list(taken)), steps.c.referral_id.in_(list(referral_ids)))
    return set(session.execute(wanted).scalars())


def find_concern(session: Session, concern_id: ConcernId) -> Concern | None:
    return identity_map.find(session, Concern, concern_id)


def concerns_of(session: Session, referral_id: ReferralId) -> list[Concern]:
    wanted = select(Concern).where(concerns.c.referral_id == referral_id).order_by(concerns.c.raised_at, concerns.c.id)
    return list(session.execute(wanted).scalars())


def has_open_concern(session: Session, referral_id: ReferralId) -> bool:
    """Whether somebody has still to take a safeguarding concern in hand."""
    wanted = select(concerns.c.id).where(concerns.c.referral_id == referral_id, concerns.c.acknowledged_at.is_(None))
    return session.execute(wanted.limit(1)).first() is not None


def count_by_state(session: Session) -> list[tuple[str, int]]:
    counted = select(referrals.c.state, func.count()).group_by(referrals.c.state).order_by(referrals.c.state)
    return [(state.value, count) for state, count in session.execute(counted)]
