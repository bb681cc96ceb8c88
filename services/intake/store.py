"""Intake's tables and how its aggregates are kept in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

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
    Uuid,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased, registry

from chassis.store import rows
from chassis.store.prepared import prepared
from chassis.store.tables import Instant, code, data_key_table, new_metadata
from chassis.store.unit import upsert
from contracts.commands.intake import Assess, TellApart
from contracts.vocabulary import (
    ApartReason,
    ClientGroup,
    Competence,
    ConcernCategory,
    ConcernId,
    LinkId,
    LinkKind,
    LinkReason,
    MarkKind,
    OverrideReason,
    PlaceKind,
    ReferralId,
    RiskLevel,
    Severity,
    SubmissionId,
    SuggestionUse,
    UnlinkReason,
    Work,
)
from services.intake.domain.links import Link
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
)
for _tie in (referrals.c.merged_into, referrals.c.previous_id):  # few have either
    Index(None, _tie, sqlite_where=_tie.is_not(None), postgresql_where=_tie.is_not(None))

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
mapper.map_imperatively(Link, links)
mapper.map_imperatively(Erasure, privacy.erasure)
mapper.map_imperatively(Hold, privacy.legal_hold)

# Every request and assessment runs these, so they are built once.
_BY_REFERENCE = prepared(select(Referral).where(referrals.c.reference == bindparam("reference")).with_for_update())
_BY_SUBMISSION = prepared(select(Referral).where(referrals.c.submission_id == bindparam("submission_id")))
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
    return rows.lock(session, Referral, referral_id)


def find_by_reference(session: Session, reference: str) -> Referral | None:
    return session.execute(_BY_REFERENCE, {"reference": reference}).scalar_one_or_none()


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
    wanted = select(steps).where(steps.c.referral_id == referral_id).order_by(steps.c.number)
    return session.execute(wanted).all()


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


def save_marks(session: Session, referral_id: ReferralId, found: Mapping[MarkKind, bytes]) -> None:
    rows_ = [{"referral_id": referral_id, "kind": kind, "mark": mark} for kind, mark in found.items()]
    session.execute(_NEW_MARK, rows_)


def save_possible_duplicates(
    session: Session,
    referral: Referral,
    found: Mapping[MarkKind, bytes],
    at: datetime,
    *,
    but: Collection[ReferralId] = (),
) -> None:
    """Records whose marks are among those found, but for some; of very many the newest are enough."""
    alike = session.execute(_ALIKE, {"marks": list(found.values())}).all()
    pairs = [
        {"referral_id": max(referral.id, id_), "other_id": min(referral.id, id_), "kind": kind, "found_at": at}
        for id_, kind in alike
        if id_ != referral.previous_id and id_ not in but
    ]
    if pairs:
        session.execute(duplicates.insert(), pairs)


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
    return rows.lock(session, Link, link_id)


def live_links_of(session: Session, referral_id: ReferralId) -> list[Link]:
    """The links that stand, the first first."""
    return list(session.execute(_LIVE_LINKS, {"referral_id": referral_id}).scalars())


def who_took(session: Session, taken: Iterable[Step], referral_ids: Iterable[ReferralId]) -> set[str]:
    """The names of those who took any of these steps with any of these referrals."""
    wanted = select(steps.c.taken_by).where(steps.c.step.in_(list(taken)), steps.c.referral_id.in_(list(referral_ids)))
    return set(session.execute(wanted).scalars())


def find_concern(session: Session, concern_id: ConcernId) -> Concern | None:
    return rows.find(session, Concern, concern_id)


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
