"""Matching's tables and how its aggregates are kept in them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Uuid,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session, registry

from chassis.store import identity_map
from chassis.store.prepared import prepared
from chassis.store.tables import Instant, code, new_metadata
from chassis.store.unit_of_work import upsert
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Competence,
    ConcernId,
    LinkId,
    LinkKind,
    MatchEndReason,
    MatchId,
    OfferId,
    PersonId,
    ReferralId,
    RiskLevel,
    Sessions,
    Sex,
    StallReason,
    TherapistId,
    Work,
)
from services.matching.domain.links import Link
from services.matching.domain.offer import Match, Offer, OfferState
from services.matching.domain.referral import Referral, State, SubsidyState
from services.matching.domain.therapist import Therapist

metadata = new_metadata()
mapper = registry(metadata=metadata)

therapists = Table(
    "therapist",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("admitted_at", Instant, nullable=False),
    Column("competence", code(Competence), nullable=False),
    Column("client_groups", JSON, nullable=False),
    Column("couple_work", Boolean, nullable=False),
    Column("outward_code", String(4), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("sessions", code(Sessions), nullable=False),
    Column("languages", JSON, nullable=False),
    Column("session_fee_pence", Integer, nullable=False),
    Column("sex", code(Sex), nullable=False),
    Column("wheelchair_access", Boolean, nullable=False),
    Column("places", Integer, nullable=False),
    Column("places_held", Integer, nullable=False),
    Column("suspensions", JSON, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("membership_sequence", Integer, nullable=False),
    Column("works_with_interpreters", Boolean, nullable=False),
    Column("young_from_years", Integer, nullable=False),
    Column("young_to_years", Integer, nullable=False),
    Column("away_until", Date),
    Column("last_offered_at", Instant),
    Column("expired_in_a_row", Integer, nullable=False),
    Column("asked_last", Boolean, nullable=False),
    CheckConstraint("places_held >= 0 AND places >= 0", name="places_not_negative"),
    Index(None, "latitude", "longitude"),
)

# What therapists take, where, and speak, once more, by which a search finds them: an index can't look into a list.
therapist_groups = Table(
    "therapist_group",
    metadata,
    Column("client_group", code(ClientGroup), primary_key=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), primary_key=True, index=True),
    Column("latitude", Float),
    Column("longitude", Float),
    Index(None, "client_group", "latitude", "longitude"),
    sqlite_with_rowid=False,
)
therapist_languages = Table(
    "therapist_language",
    metadata,
    Column("language", String(3), primary_key=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

referrals = Table(
    "referral",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_group", code(ClientGroup), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("language", String(3), nullable=False),
    Column("sessions", code(Sessions), nullable=False),
    Column("max_distance_km", Float, nullable=False),
    Column("fee_ceiling_pence", Integer),
    Column("subsidy", code(SubsidyState), nullable=False),
    Column("subsidy_pence_per_session", Integer, nullable=False),
    Column("billing_sequence", Integer, nullable=False),
    Column("received_sequence", Integer, nullable=False),
    Column("search_sequence", Integer, nullable=False),
    Column("on_hold", Boolean, nullable=False),
    Column("competence", code(Competence)),
    Column("work", code(Work)),
    Column("therapist_sex", code(Sex)),
    Column("wheelchair_access", Boolean, nullable=False),
    Column("state", code(State), nullable=False),
    Column("offers_made", Integer, nullable=False),
    Column("waiting_since", Instant),
    Column("waiting_for", code(StallReason)),
    Column("match_id", Uuid),
    Column("therapist_id", Uuid),
    Column("age_band", code(AgeBand)),
    Column("risk_level", code(RiskLevel)),
    Column("person_id", Uuid, index=True),
    Column("duplicate_of", Uuid),
    Column("under_18", Boolean, nullable=False),
    Column("age_years", Integer),
    Column("therapist_sex_only", Boolean, nullable=False),
    Column("required_languages", JSON, nullable=False),
    Column("preferred_languages", JSON, nullable=False),
    Column("interpreter_language", String(3)),
    Column("most_per_session", Integer),
    Column("online_allowed", Boolean, nullable=False),
    Column("sought_at_release", Boolean, nullable=False),
    Column("assessment_sequence", Integer, nullable=False),
    Column("concern_open", Boolean, nullable=False),
    Column("waited_seconds", Integer, nullable=False),
    Column("stall_told", Boolean, nullable=False),
    Column("waiting_needs", String(160)),
    Index(None, "state", "waiting_since"),
)
# Few are duplicates, and few of all there ever were are waiting.
for _first, *_others in (("duplicate_of",), ("waiting_needs", "waiting_since", "id")):
    _there = referrals.c[_first].is_not(None)
    _columns = [referrals.c[name] for name in (_first, *_others)]
    Index(None, *_columns, sqlite_where=_there, postgresql_where=_there)

offers = Table(
    "offer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), nullable=False, index=True),
    Column("offered_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("distance_km", Float, nullable=False),
    Column("sessions", code(Sessions), nullable=False),
    Column("state", code(OfferState), nullable=False, index=True),
    Column("token_hash", LargeBinary(32), index=True, unique=True),
)
_is_open = text("state = 'open'")
Index("uq_offer_open_referral", offers.c.referral_id, unique=True, sqlite_where=_is_open, postgresql_where=_is_open)

matches = Table(
    "match",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), nullable=False, index=True),
    Column("matched_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("reason", code(MatchEndReason)),
    Column("end_reported_at", Instant),
)
_is_live = text("ended_at IS NULL")
Index("uq_match_live_referral", matches.c.referral_id, unique=True, sqlite_where=_is_live, postgresql_where=_is_live)

# Whom intake keeps apart, by intake's newest word on each link.
links = Table(
    "link",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("other_id", Uuid, nullable=False, index=True),
    Column("kind", code(LinkKind), nullable=False),
    Column("stands", Boolean, nullable=False),
    Column("sequence", Integer, nullable=False),
)

mapper.map_imperatively(Link, links)
mapper.map_imperatively(Therapist, therapists)
mapper.map_imperatively(Referral, referrals)
mapper.map_imperatively(Offer, offers)
mapper.map_imperatively(Match, matches)

# Immediate concerns hold a search back; a word on others is kept too, for it may come before the concern itself.
concerns = Table(
    "concern",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("immediate", Boolean, nullable=False),
    Column("acknowledged", Boolean, nullable=False),
)

# Therapists with room for whom the waiting list has still to be tried, and how far down it that has come.
openings = Table(
    "opening",
    metadata,
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), primary_key=True),
    Column("since", Instant, nullable=False, index=True),
    Column("tried_since", Instant),
    Column("tried_id", Uuid),
)

_LINKED = prepared(
    select(links.c.kind, links.c.referral_id, links.c.other_id).where(
        links.c.stands,
        or_(links.c.referral_id == bindparam("referral_id"), links.c.other_id == bindparam("referral_id")),
    )
)
_duplicates = referrals.alias()
_OF_PERSON = prepared(
    select(referrals.c.id, referrals.c.duplicate_of, _duplicates.c.person_id.label("of_duplicate"))
    .outerjoin(_duplicates, _duplicates.c.duplicate_of == referrals.c.id)
    .where(referrals.c.person_id == bindparam("person_id"))
)
_PERSON_OF = prepared(select(referrals.c.person_id).where(referrals.c.id == bindparam("referral_id")))
_UNHAPPY = prepared(
    select(matches.c.therapist_id).where(
        matches.c.referral_id == bindparam("referral_id"), matches.c.reason == MatchEndReason.CLIENT_UNHAPPY
    )
)
_OPEN_CONCERN = prepared(
    select(concerns.c.id).where(
        concerns.c.referral_id == bindparam("referral_id"), concerns.c.immediate, ~concerns.c.acknowledged
    )
)
_ASKED = prepared(
    select(offers.c.therapist_id).where(
        offers.c.referral_id == bindparam("referral_id"), offers.c.state != OfferState.WITHDRAWN
    )
)


def find_link(session: Session, link_id: LinkId) -> Link | None:
    return identity_map.lock(session, Link, link_id)


def all_of_person(session: Session, referral_id: ReferralId) -> set[ReferralId]:
    """This and every other referral of the same person: those taken up again, and those found to be the same.

    As they are written: what the unit has changed is flushed before.
    """
    known = read_referral(session, referral_id)
    found = {referral_id}
    persons: set[PersonId | None] = {known.person_id} if known else set()
    seen: set[PersonId | None] = {None}
    while persons - seen:
        person_id = (persons - seen).pop()
        seen.add(person_id)
        for id_, duplicate_of, of_duplicate in session.execute(_OF_PERSON, {"person_id": person_id}):
            found.add(id_)
            persons.add(of_duplicate)
            if duplicate_of is not None:
                persons |= _values(session, _PERSON_OF, referral_id=duplicate_of)
    return found


def others_of_person(session: Session, referral_id: ReferralId) -> list[Referral]:
    """Not locked."""
    others = all_of_person(session, referral_id) - {referral_id}
    return [one for id_ in sorted(others) if (one := read_referral(session, id_)) is not None]


def linked_to(session: Session, referral_ids: Collection[ReferralId]) -> set[tuple[LinkKind, ReferralId]]:
    """The referrals that any of these is kept apart from."""
    found: set[tuple[LinkKind, ReferralId]] = set()
    for id_ in referral_ids:
        for kind, *pair in session.execute(_LINKED, {"referral_id": id_}):
            found.add((kind, pair[1] if pair[0] == id_ else pair[0]))
    return found


def therapists_of(session: Session, referral_ids: Collection[ReferralId]) -> set[TherapistId]:
    """Those who have, or had, a match or have an open offer of any of these referrals."""
    matched = select(matches.c.therapist_id).where(matches.c.referral_id.in_(referral_ids))
    offered = select(offers.c.therapist_id).where(
        offers.c.referral_id.in_(referral_ids), offers.c.state == OfferState.OPEN
    )
    return set(session.execute(matched.union(offered)).scalars())


def left_unhappy(session: Session, referral_ids: Collection[ReferralId]) -> set[TherapistId]:
    """Those whom the client of these referrals left as unhappy."""
    return {one for id_ in referral_ids for one in _values(session, _UNHAPPY, referral_id=id_)}


def read_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    """Not locked."""
    return identity_map.find(session, Referral, referral_id)


def read_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    """Not locked."""
    return identity_map.find(session, Therapist, therapist_id)


def find_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    return identity_map.lock(session, Therapist, therapist_id)


def find_new_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    """As `find_therapist`; if there is none, nobody else admits them until the unit ends."""
    identity_map.lock_key(session, Therapist, therapist_id)
    return find_therapist(session, therapist_id)


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return identity_map.lock(session, Referral, referral_id)


def find_offer(session: Session, offer_id: OfferId) -> Offer | None:
    return identity_map.lock(session, Offer, offer_id)


def find_offer_by_token(session: Session, token_hash: bytes) -> Offer | None:
    wanted = select(Offer).where(offers.c.token_hash == token_hash).with_for_update()
    return session.execute(wanted).scalar_one_or_none()


def find_match(session: Session, match_id: MatchId) -> Match | None:
    return identity_map.lock(session, Match, match_id)


def already_asked(session: Session, referral_id: ReferralId) -> set[TherapistId]:
    """Those who were offered this referral before, whatever they answered, unless it was taken back from them."""
    return set(session.execute(_ASKED, {"referral_id": referral_id}).scalars())


def open_offer_of(session: Session, referral_id: ReferralId) -> Offer | None:
    wanted = select(Offer).where(offers.c.referral_id == referral_id, offers.c.state == OfferState.OPEN)
    return session.execute(wanted.with_for_update()).scalar_one_or_none()


def open_offers(session: Session, therapist_id: TherapistId | None = None, limit: int | None = None) -> list[Offer]:
    """The longest waiting first."""
    wanted = select(Offer).where(offers.c.state == OfferState.OPEN).order_by(offers.c.offered_at, offers.c.id)
    if therapist_id is not None:
        wanted = wanted.where(offers.c.therapist_id == therapist_id)
    return list(session.execute(wanted.limit(limit)).scalars())


def drop_offers(session: Session, referral_id: ReferralId) -> None:
    session.flush()
    session.execute(delete(offers).where(offers.c.referral_id == referral_id))


def live_match_of(session: Session, referral_id: ReferralId) -> Match | None:
    wanted = select(Match).where(matches.c.referral_id == referral_id, matches.c.ended_at.is_(None))
    return session.execute(wanted.with_for_update()).scalar_one_or_none()


def last_match_of(session: Session, referral_id: ReferralId) -> MatchId | None:
    of_referral = select(matches.c.id).where(matches.c.referral_id == referral_id)
    found = session.execute(of_referral.order_by(matches.c.matched_at.desc(), matches.c.id.desc()).limit(1))
    return found.scalar_one_or_none()


def note_concern(session: Session, concern_id: ConcernId, referral_id: ReferralId, **known: bool) -> None:
    """What is known of a concern by now: that it is `immediate`, or that it was `acknowledged`."""
    values = {"id": concern_id, "referral_id": referral_id, "immediate": False, "acknowledged": False, **known}
    noted = upsert(session, concerns).values(**values)
    session.execute(noted.on_conflict_do_update(index_elements=[concerns.c.id], set_=known))


def has_open_concern(session: Session, referral_ids: Collection[ReferralId]) -> bool:
    """Whether an immediate concern about any of these referrals is acknowledged by nobody yet."""
    return any(session.execute(_OPEN_CONCERN, {"referral_id": id_}).first() for id_ in referral_ids)


def was_another_asked_since(session: Session, match: Match) -> bool:
    """Since the match has ended, which may have been in the same moment."""
    found = select(offers.c.id).where(
        offers.c.referral_id == match.referral_id,
        offers.c.therapist_id != match.therapist_id,
        offers.c.offered_at >= match.ended_at,
    )
    return session.execute(found.limit(1)).first() is not None


def count_by_state(session: Session) -> list[tuple[str, int]]:
    counted = select(referrals.c.state, func.count()).group_by(referrals.c.state).order_by(referrals.c.state)
    return [(state.value, count) for state, count in session.execute(counted)]


def _values(session: Session, wanted: Select[Any], **given: UUID) -> set[Any]:
    return set(session.execute(wanted, given).scalars())
