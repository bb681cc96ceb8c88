"""Who suits whom, as far as the database can tell: therapists for a referral, and those who wait for a therapist.

Both ways leave out by indexes whoever can't come into question, so that a search costs work for those who may, however
many others there are. What is found may still not suit: the domain decides.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from chassis.store.prepared import prepared
from chassis.store.tables import Instant, code
from chassis.store.unit_of_work import upsert
from contracts.vocabulary import ClientGroup, Competence, Sessions, Sex, TherapistId
from services.matching.domain.needs import Needs
from services.matching.domain.offer import OfferState
from services.matching.domain.places import Point, distance_km
from services.matching.domain.referral import Referral, SubsidyState
from services.matching.domain.suitability import AskFirst, Order
from services.matching.domain.therapist import OLDEST_YOUNG, YOUNGEST, Therapist
from services.matching.store import offers, openings, referrals, therapist_groups, therapist_languages, therapists

KM_PER_DEGREE = 111.0
NARROWEST = 0.484
"""How long a degree of longitude is beside one of latitude at 61° north, beyond Shetland: a box that is too wide
further south leaves nobody out."""

NO_LIMIT_PENCE = 2**31 - 1
NO_LANGUAGE = ""

ONLINE_AT_ONCE = 8
"""Therapists read at a time: one of the first will mostly do."""

LIKED = 10
"""As many languages as a client can name."""


def _flag(name: str) -> ColumnElement[bool]:
    return bindparam(name, type_=Boolean)


def _speaks(*names: str) -> ColumnElement[bool]:
    wanted, spoken = [bindparam(name, type_=String) for name in names], therapist_languages.alias()
    found = exists().where(spoken.c.language.in_(wanted), spoken.c.therapist_id == therapists.c.id)
    return found.correlate(therapists)


def _takes(group: Any) -> ColumnElement[bool]:
    taken = therapist_groups.alias()
    found = exists().where(taken.c.client_group == group, taken.c.therapist_id == therapists.c.id)
    return found.correlate(therapists)


_ABLE = and_(
    ~therapists.c.suspended,
    or_(_flag("lower"), therapists.c.competence == Competence.HIGHER),
    or_(_flag("not_couple"), therapists.c.couple_work),
    or_(_flag("any_sex"), therapists.c.sex == bindparam("only_sex", type_=code(Sex))),
    or_(
        _flag("adult"),
        and_(
            therapists.c.young_from_years <= bindparam("youngest", type_=Integer),
            therapists.c.young_to_years >= bindparam("oldest", type_=Integer),
            _takes(ClientGroup.YOUNG_PERSON),
        ),
    ),
    or_(_flag("no_interpreter"), therapists.c.works_with_interpreters, _speaks("interpreter")),
)
_HAS_ROOM = and_(
    therapists.c.places > therapists.c.places_held,
    therapists.c.away_until.is_(None),
    therapists.c.session_fee_pence <= bindparam("highest_fee_pence", type_=Integer),
)
_TAKES_GROUP = _takes(bindparam("client_group", type_=code(ClientGroup)))
_IN_BOX = and_(
    therapist_groups.c.latitude.between(bindparam("south"), bindparam("north")),
    therapist_groups.c.longitude.between(bindparam("west"), bindparam("east")),
    therapists.c.sessions != Sessions.ONLINE,
    or_(_flag("no_wheelchair"), therapists.c.wheelchair_access),
)
_ONLINE = therapists.c.sessions != Sessions.IN_PERSON
_UNMET = (
    case((or_(_flag("no_sex_liked"), therapists.c.sex == bindparam("liked_sex", type_=code(Sex))), 0), else_=1)
    + case((or_(_flag("no_language_liked"), _speaks(*(f"liked_{n}" for n in range(LIKED)))), 0), else_=1)
    + case((or_(_flag("no_interpreter"), _speaks("interpreter")), 0), else_=1)
)
_FREE_PLACES = (therapists.c.places - therapists.c.places_held).desc()
_EQUALS_FIRST: dict[AskFirst, tuple[ColumnElement[Any], ...]] = {
    AskFirst.LONGEST_AGO: (therapists.c.last_offered_at.asc().nulls_first(), _FREE_PLACES, therapists.c.id),
    AskFirst.NEAREST: (_FREE_PLACES, therapists.c.id),
}
"""Who goes first of those who are in the same band, or equally near."""


def _able(*columns: Any) -> Select[Any]:
    """Able therapists, found by the client group, and where they are."""
    return (
        select(*columns)
        .join_from(therapist_groups, therapists, therapist_groups.c.therapist_id == therapists.c.id)
        .where(
            therapist_groups.c.client_group == bindparam("client_group", type_=code(ClientGroup)),
            _ABLE,
            or_(_flag("no_must"), _speaks("must")),
        )
    )


def _able_by_language() -> Select[Any]:
    """Able therapists, found by the first language that is a must."""
    return (
        select(Therapist)
        .join(therapist_languages, therapist_languages.c.therapist_id == therapists.c.id)
        .where(therapist_languages.c.language == bindparam("must", type_=String), _TAKES_GROUP, _ABLE)
    )


_WAYS = {False: _able(Therapist), True: _able_by_language()}
_OFFSET, _AT_ONCE = bindparam("offset", type_=Integer), bindparam("at_once", type_=Integer)
_SPOTS_WITH_ROOM = prepared(
    _able(
        therapists.c.outward_code,
        therapists.c.latitude,
        therapists.c.longitude,
        therapists.c.asked_last,
        _UNMET.label("unmet"),
    )
    .where(_IN_BOX, _HAS_ROOM)
    .distinct()
)
_AT_SPOTS_WITH_ROOM = {
    ask_first: _able(Therapist)
    .where(
        _IN_BOX,
        _HAS_ROOM,
        therapists.c.outward_code.in_(bindparam("spots", expanding=True)),
        therapists.c.asked_last == _flag("asked_last"),
        bindparam("unmet", type_=Integer) == _UNMET,
    )
    .order_by(*first)
    .limit(_AT_ONCE)
    .offset(_OFFSET)
    for ask_first, first in _EQUALS_FIRST.items()
}
_ONLINE_WITH_ROOM = {
    (by_language, ask_first): prepared(
        way.where(_ONLINE, _HAS_ROOM).order_by(therapists.c.asked_last, _UNMET, *first).limit(_AT_ONCE).offset(_OFFSET)
    )
    for by_language, way in _WAYS.items()
    for ask_first, first in _EQUALS_FIRST.items()
}
# By price: after one who costs too much nobody costs less.
_BY_PRICE = (therapists.c.session_fee_pence, therapists.c.id)
_ABLE_NEAR = prepared(_WAYS[False].where(_IN_BOX).order_by(*_BY_PRICE).limit(_AT_ONCE).offset(_OFFSET))
_ABLE_ONLINE = {
    by_language: prepared(way.where(_ONLINE).order_by(*_BY_PRICE).limit(_AT_ONCE).offset(_OFFSET))
    for by_language, way in _WAYS.items()
}
_ANYBODY_ABLE = {by_language: prepared(way.limit(1)) for by_language, way in _WAYS.items()}


def with_room_near(session: Session, referral: Referral, order: Order) -> Iterator[Therapist]:
    """Therapists with room whom the client could visit, in the order of `Candidate.rank`, read as they are taken.

    Where they are is known by outward code, of which there are few, however many therapists there may be.
    """
    here, box = referral.point, _box(referral)
    if here is None:
        return
    given = _given(referral) | box
    spots: dict[tuple[bool, int, float], list[str]] = {}
    for outward_code, latitude, longitude, asked_last, unmet in session.execute(_SPOTS_WITH_ROOM, given):
        place = order.place(round(distance_km(Point(latitude, longitude), here), 1))
        spots.setdefault((asked_last, unmet, place), []).append(outward_code)
    for (asked_last, unmet, _), outward_codes in sorted(spots.items()):
        equals = {"asked_last": asked_last, "unmet": unmet, "spots": outward_codes}
        yield from _paged(session, _AT_SPOTS_WITH_ROOM[order.ask_first], given | equals)


def with_room_online(session: Session, referral: Referral, order: Order) -> Iterator[Therapist]:
    """Therapists with room who also, or only, work online, in the order of `Candidate.rank`, read as they are taken."""
    given = _given(referral)
    return _paged(session, _ONLINE_WITH_ROOM[bool(given["must"]), order.ask_first], given)


def able(session: Session, referral: Referral) -> Iterator[Therapist]:
    """Those who would do but for room or price; failing any, one of those who would but for where they are."""
    given, box = _given(referral), _box(referral)
    by_language = bool(given["must"])
    ways = []
    if box and referral.would_meet_in_person:
        ways.append(_paged(session, _ABLE_NEAR, given | box))
    if referral.would_meet_online:
        ways.append(_paged(session, _ABLE_ONLINE[by_language], given))
    for found in ways:
        for therapist in found:
            yield therapist
            if therapist.session_fee_pence > given["highest_fee_pence"]:
                break
    yield from session.execute(_ANYBODY_ABLE[by_language], given).scalars()


def _paged(session: Session, wanted: Select[Any], given: dict[str, Any]) -> Iterator[Therapist]:
    at_once, offset = ONLINE_AT_ONCE, 0
    while True:
        page = list(session.execute(wanted, given | {"at_once": at_once, "offset": offset}).scalars())
        yield from page
        if len(page) < at_once:
            return
        # Who has to look further will have to look far.
        at_once, offset = 4 * at_once, offset + at_once


def _given(referral: Referral) -> dict[str, Any]:
    needs = referral.needs
    must = next((one for one in needs.languages if one != needs.interpreter), NO_LANGUAGE)
    liked = referral.liked_languages
    youngest, oldest = (YOUNGEST, OLDEST_YOUNG) if needs.age_years is None else (needs.age_years, needs.age_years)
    limit = referral.highest_fee_pence
    return {
        "client_group": needs.client_group,
        "lower": needs.competence is Competence.LOWER,
        "not_couple": not needs.couple,
        "any_sex": needs.sex is None,
        "only_sex": needs.sex or Sex.OTHER,
        "adult": not needs.young,
        "youngest": youngest,
        "oldest": oldest,
        "no_interpreter": needs.interpreter is None,
        "interpreter": needs.interpreter or NO_LANGUAGE,
        "no_must": must == NO_LANGUAGE,
        "must": must,
        "highest_fee_pence": NO_LIMIT_PENCE if limit is None else limit,
        "no_wheelchair": not referral.wheelchair_access,
        "no_sex_liked": referral.therapist_sex is None,
        "liked_sex": referral.therapist_sex or Sex.OTHER,
        "no_language_liked": not liked,
        **{f"liked_{number}": liked[number] if number < len(liked) else NO_LANGUAGE for number in range(LIKED)},
    }


def _box(referral: Referral) -> dict[str, float]:
    """Nothing where it isn't known where the client is."""
    here = referral.point
    if here is None:
        return {}
    high = referral.max_distance_km / KM_PER_DEGREE
    wide = referral.max_distance_km / (KM_PER_DEGREE * NARROWEST)
    return {
        "north": here.latitude + high,
        "south": here.latitude - high,
        "east": here.longitude + wide,
        "west": here.longitude - wide,
    }


# Each next one is found by the index of those who wait, so that this costs as much as there are different needs.
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
    _flag("in_person"),
    or_(~referrals.c.online_allowed, referrals.c.sessions != Sessions.ONLINE),
    or_(_flag("accessible"), ~referrals.c.wheelchair_access),
    func.abs(referrals.c.latitude - bindparam("latitude")) * KM_PER_DEGREE <= referrals.c.max_distance_km,
    func.abs(referrals.c.longitude - bindparam("longitude")) * (KM_PER_DEGREE * NARROWEST)
    <= referrals.c.max_distance_km,
)
_MEETS_ONLINE = and_(_flag("online"), referrals.c.online_allowed, referrals.c.sessions != Sessions.IN_PERSON)
_WAS_ASKED = exists().where(
    offers.c.referral_id == referrals.c.id,
    offers.c.therapist_id == bindparam("therapist_id"),
    offers.c.state != OfferState.WITHDRAWN,
)
_place = tuple_(referrals.c.waiting_since, referrals.c.id)
_WAITING = prepared(
    select(referrals.c.waiting_since, referrals.c.id)
    .where(
        referrals.c.waiting_needs == bindparam("needs", type_=String),
        _place > tuple_(bindparam("since", type_=Instant), bindparam("id", type_=referrals.c.id.type)),
        or_(_MEETS_ONLINE, _COMES),
        _PAYS,
        ~_WAS_ASKED,
    )
    .order_by(referrals.c.waiting_since, referrals.c.id)
    .limit(_AT_ONCE)
)

Place = tuple[datetime, UUID]
"""A place on the waiting list: since when a referral waits, and which it is."""

THE_HEAD: Place = (datetime.fromisoformat("1900-01-01T00:00:00+00:00"), UUID(int=0))


def waiting_for(session: Session, therapist: Therapist, *, after: Place, limit: int) -> list[Place]:
    """Those who wait and whom this therapist may suit, the longest waiting first, from a place on."""
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


@dataclass(frozen=True)
class Opening:
    """A therapist for whom the waiting list has still to be tried, from a place on."""

    therapist_id: TherapistId
    since: datetime
    after: Place


def open_to_waiting_list(session: Session, therapist_id: TherapistId, at: datetime) -> None:
    """The waiting list is to be tried for this therapist, from its head."""
    anew = {"since": at, "tried_since": None, "tried_id": None}
    noted = upsert(session, openings).values(therapist_id=therapist_id, **anew)
    session.flush()
    session.execute(noted.on_conflict_do_update(index_elements=[openings.c.therapist_id], set_=anew))


def next_openings(session: Session, limit: int) -> list[Opening]:
    """The longest open first."""
    oldest = select(openings).order_by(openings.c.since, openings.c.therapist_id).limit(limit)
    return [
        Opening(row.therapist_id, row.since, (row.tried_since, row.tried_id) if row.tried_id else THE_HEAD)
        for row in session.execute(oldest)
    ]


def close_opening(session: Session, opening: Opening) -> None:
    """Nobody is left to try, unless it was opened again meanwhile."""
    session.execute(delete(openings).where(*_as_seen(opening)))


def go_on_after(session: Session, opening: Opening, place: Place) -> None:
    """The waiting list was tried as far as this place."""
    values = {"tried_since": place[0], "tried_id": place[1]}
    session.execute(openings.update().where(*_as_seen(opening)).values(**values))


def _as_seen(opening: Opening) -> tuple[ColumnElement[bool], ...]:
    return openings.c.therapist_id == opening.therapist_id, openings.c.since == opening.since


def index_therapist(session: Session, therapist: Therapist) -> None:
    """Has searches find a therapist by what they take and speak now."""
    session.flush()
    here = {"latitude": therapist.latitude, "longitude": therapist.longitude}
    for table, column, values, place in (
        (therapist_groups, "client_group", therapist.client_groups, here),
        (therapist_languages, "language", therapist.languages, {}),
    ):
        session.execute(delete(table).where(table.c.therapist_id == therapist.id))
        rows = [{column: value, "therapist_id": therapist.id, **place} for value in sorted(set(values))]
        session.execute(table.insert(), rows)
