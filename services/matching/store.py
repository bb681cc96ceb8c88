"""Matching's tables and how its aggregates are kept in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session, registry

from chassis.store import rows
from chassis.store.prepared import prepared
from chassis.store.tables import Instant, code, new_metadata
from contracts.vocabulary import (
    ClientGroup,
    Competence,
    LinkId,
    LinkKind,
    MatchEndReason,
    MatchId,
    OfferId,
    ReferralId,
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

KM_PER_DEGREE_OF_LATITUDE = 111.0
KM_PER_DEGREE_OF_LONGITUDE = 54.0
"""At 61° north, beyond Shetland: a box that is too wide further south leaves nobody out."""

NO_LIMIT_PENCE = 2**31 - 1

ONLINE_AT_ONCE = 8
"""Therapists read at a time: one of the first will mostly do."""

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
    CheckConstraint("places_held >= 0 AND places >= 0", name="places_not_negative"),
    Index(None, "latitude", "longitude"),
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
    Index(None, "state", "waiting_since"),
)

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
)
_is_open = text("state = 'open'")
Index("uq_offer_open_referral", offers.c.referral_id, unique=True, sqlite_where=_is_open, postgresql_where=_is_open)

matches = Table(
    "match",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), nullable=False, index=True),
    Column("matched_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("reason", code(MatchEndReason)),
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

# Every search runs these, so they are built once.
_WITH_ROOM = select(Therapist).where(
    ~therapists.c.suspended,
    therapists.c.places > therapists.c.places_held,
    therapists.c.session_fee_pence <= bindparam("highest_fee_pence"),
)
_WITH_ROOM_IN_BOX = prepared(
    _WITH_ROOM.where(
        therapists.c.sessions != Sessions.ONLINE,
        therapists.c.latitude.between(bindparam("south"), bindparam("north")),
        therapists.c.longitude.between(bindparam("west"), bindparam("east")),
    )
)
_WITH_ROOM_ONLINE = (
    _WITH_ROOM.where(therapists.c.sessions != Sessions.IN_PERSON)
    .order_by(therapists.c.places.desc(), therapists.c.id)
    .execution_options(yield_per=ONLINE_AT_ONCE)
)
_LINKED = prepared(
    select(links.c.kind, Referral)
    .where(
        links.c.stands,
        or_(
            and_(links.c.referral_id == bindparam("referral_id"), referrals.c.id == links.c.other_id),
            and_(links.c.other_id == bindparam("referral_id"), referrals.c.id == links.c.referral_id),
        ),
    )
    .order_by(links.c.id)
)
_ASKED = prepared(
    select(offers.c.therapist_id).where(
        offers.c.referral_id == bindparam("referral_id"), offers.c.state != OfferState.WITHDRAWN
    )
)


def find_link(session: Session, link_id: LinkId) -> Link | None:
    return rows.lock(session, Link, link_id)


def linked_to(session: Session, referral_id: ReferralId) -> list[tuple[LinkKind, Referral]]:
    """The referrals that this one is kept apart from, as far as matching has heard of them."""
    found = session.execute(_LINKED, {"referral_id": referral_id})
    return [(kind, referral) for kind, referral in found]


def therapists_of(session: Session, referral_ids: Collection[ReferralId]) -> set[TherapistId]:
    """Those who have, or had, a match or have an open offer of any of these referrals."""
    matched = select(matches.c.therapist_id).where(matches.c.referral_id.in_(referral_ids))
    offered = select(offers.c.therapist_id).where(
        offers.c.referral_id.in_(referral_ids), offers.c.state == OfferState.OPEN
    )
    return set(session.execute(matched.union(offered)).scalars())


def find_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    return rows.lock(session, Therapist, therapist_id)


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return rows.lock(session, Referral, referral_id)


def find_offer(session: Session, offer_id: OfferId) -> Offer | None:
    return rows.lock(session, Offer, offer_id)


def find_match(session: Session, match_id: MatchId) -> Match | None:
    return rows.lock(session, Match, match_id)


def with_room_near(session: Session, referral: Referral) -> list[Therapist]:
    """Therapists with room whom the client could visit, as far as the database can tell; the domain decides."""
    here = referral.point
    if here is None:
        return []
    high = referral.max_distance_km / KM_PER_DEGREE_OF_LATITUDE
    wide = referral.max_distance_km / KM_PER_DEGREE_OF_LONGITUDE
    box: dict[str, float] = {"highest_fee_pence": _highest_fee_pence(referral)}
    box |= {"north": here.latitude + high, "south": here.latitude - high}
    box |= {"east": here.longitude + wide, "west": here.longitude - wide}
    return list(session.execute(_WITH_ROOM_IN_BOX, box).scalars())


def with_room_online(session: Session, referral: Referral) -> Iterator[Therapist]:
    """Therapists with room who also, or only, work online, in the order of `Candidate.rank`, read as they are taken."""
    with session.execute(_WITH_ROOM_ONLINE, {"highest_fee_pence": _highest_fee_pence(referral)}).scalars() as found:
        yield from found


def all_therapists(session: Session) -> list[Therapist]:
    return list(session.execute(select(Therapist)).scalars())


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


def waiting(session: Session) -> list[Referral]:
    """The waiting list, the longest waiting first."""
    wanted = select(Referral).where(referrals.c.state == State.WAITING)
    return list(session.execute(wanted.order_by(referrals.c.waiting_since, referrals.c.id)).scalars())


def count_by_state(session: Session) -> list[tuple[str, int]]:
    counted = select(referrals.c.state, func.count()).group_by(referrals.c.state).order_by(referrals.c.state)
    return [(state.value, count) for state, count in session.execute(counted)]


def _highest_fee_pence(referral: Referral) -> int:
    return NO_LIMIT_PENCE if referral.highest_fee_pence is None else referral.highest_fee_pence
