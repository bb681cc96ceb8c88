"""Referrals that wait for a therapist, and the therapists with room for whom the waiting list has still to be tried.

Indexes leave out whoever can't come into question. What is found may still not suit: the domain decides.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from chassis.store.prepared import prepared
from chassis.store.tables import Instant
from chassis.store.unit_of_work import upsert
from contracts.vocabulary import Sessions, TherapistId
from services.matching.domain.needs import Needs
from services.matching.domain.offer import OfferState
from services.matching.domain.referral import Referral, State, SubsidyState
from services.matching.domain.therapist import Therapist
from services.matching.store.candidates import AT_ONCE, KM_PER_DEGREE, NARROWEST, flag
from services.matching.store.tables import (
    offers,
    openings,
    referrals,
)

# The distinct keys of needs on the waiting list, each found from the one before by the index: this recursion reads as
# many rows as there are different needs, where DISTINCT would read every referral that waits.
_first = select(func.min(referrals.c.waiting_needs).label("key")).where(referrals.c.waiting_needs.is_not(None))


_keys = _first.cte("keys", recursive=True)


_next = select(func.min(referrals.c.waiting_needs)).where(referrals.c.waiting_needs > _keys.c.key).scalar_subquery()


_keys = _keys.union_all(select(_next).where(_keys.c.key.is_not(None)))


_WAITING_NEEDS = select(_keys.c.key).where(_keys.c.key.is_not(None))


_own = func.coalesce(referrals.c.most_per_session, referrals.c.fee_ceiling_pence)


_PAYS = or_(
    and_(_own.is_(None), referrals.c.subsidy == SubsidyState.NOT_REQUESTED),
    func.coalesce(_own, 0) + referrals.c.subsidy_pence_per_session >= bindparam("fee_pence", type_=Integer),
)


_COMES = and_(
    flag("in_person"),
    or_(~referrals.c.online_allowed, referrals.c.sessions != Sessions.ONLINE),
    or_(flag("accessible"), ~referrals.c.wheelchair_access),
    func.abs(referrals.c.latitude - bindparam("latitude")) * KM_PER_DEGREE <= referrals.c.max_distance_km,
    func.abs(referrals.c.longitude - bindparam("longitude")) * (KM_PER_DEGREE * NARROWEST)
    <= referrals.c.max_distance_km,
)


_MEETS_ONLINE = and_(flag("online"), referrals.c.online_allowed, referrals.c.sessions != Sessions.IN_PERSON)


_WAS_ASKED = exists().where(
    offers.c.referral_id == referrals.c.id,
    offers.c.therapist_id == bindparam("therapist_id"),
    offers.c.state != OfferState.WITHDRAWN,
)


_entry = tuple_(referrals.c.waiting_since, referrals.c.id)


_WAITING = prepared(
    select(referrals.c.waiting_since, referrals.c.id)
    .where(
        referrals.c.waiting_needs == bindparam("needs", type_=String),
        _entry > tuple_(bindparam("since", type_=Instant), bindparam("id", type_=referrals.c.id.type)),
        or_(_MEETS_ONLINE, _COMES),
        _PAYS,
        ~_WAS_ASKED,
    )
    .order_by(referrals.c.waiting_since, referrals.c.id)
    .limit(AT_ONCE)
)


Entry = tuple[datetime, UUID]
"""An entry of the waiting list: since when a referral waits, and which it is."""


HEAD: Entry = (datetime.fromisoformat("1900-01-01T00:00:00+00:00"), UUID(int=0))


def waiting_for(session: Session, therapist: Therapist, *, after: Entry, limit: int) -> list[Entry]:
    """Referrals on the waiting list that this therapist may suit, after an entry; the longest waiting first."""
    session.flush()
    given = {
        "therapist_id": therapist.id,
        "fee_pence": therapist.session_fee_pence,
        "accessible": therapist.wheelchair_access,
        "in_person": therapist.sessions is not Sessions.ONLINE and therapist.point is not None,
        "online": therapist.sessions is not Sessions.IN_PERSON,
        "latitude": therapist.latitude or 0.0,
        "longitude": therapist.longitude or 0.0,
        "since": after[0],
        "id": after[1],
        "at_once": limit,
    }
    met = [key for key in session.execute(_WAITING_NEEDS).scalars() if therapist.meets(Needs.of_key(key))]
    found = (((since, id_) for since, id_ in session.execute(_WAITING, given | {"needs": key})) for key in met)
    return list(islice(heapq.merge(*found), limit))


def longest_waiting(session: Session, limit: int) -> list[Referral]:
    """Not locked."""
    session.flush()
    since = referrals.c.waiting_since
    wanted = select(Referral).where(referrals.c.state == State.WAITING, since.is_not(None)).order_by(since)
    return list(session.execute(wanted.limit(limit)).scalars())


@dataclass(frozen=True)
class Opening:
    """A therapist for whom the waiting list has still to be tried, after an entry."""

    therapist_id: TherapistId
    since: datetime
    after: Entry


def open_to_waiting_list(session: Session, therapist_id: TherapistId, at: datetime) -> None:
    """Records that the waiting list is to be tried for this therapist, from its head."""
    anew = {"since": at, "tried_since": None, "tried_id": None}
    noted = upsert(session, openings).values(therapist_id=therapist_id, **anew)
    session.flush()
    session.execute(noted.on_conflict_do_update(index_elements=[openings.c.therapist_id], set_=anew))


def next_openings(session: Session, limit: int) -> list[Opening]:
    """The oldest first."""
    oldest = select(openings).order_by(openings.c.since, openings.c.therapist_id).limit(limit)
    return [
        Opening(row.therapist_id, row.since, (row.tried_since, row.tried_id) if row.tried_id else HEAD)
        for row in session.execute(oldest)
    ]


def close_opening(session: Session, opening: Opening) -> None:
    """Removes the opening, unless it was opened again meanwhile."""
    session.execute(delete(openings).where(*_as_seen(opening)))


def go_on_after(session: Session, opening: Opening, entry: Entry) -> None:
    """Records that the waiting list was tried as far as this entry."""
    values = {"tried_since": entry[0], "tried_id": entry[1]}
    session.execute(openings.update().where(*_as_seen(opening)).values(**values))


def _as_seen(opening: Opening) -> tuple[ColumnElement[bool], ...]:
    return openings.c.therapist_id == opening.therapist_id, openings.c.since == opening.since
