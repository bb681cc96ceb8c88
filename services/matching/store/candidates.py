"""Therapists who may suit a referral, as far as the database can tell.

Indexes leave out whoever can't come into question, so that a search costs work for those who may, however many
others there are. What is found may still not suit: the domain decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    or_,
    select,
)
from sqlalchemy.orm import Session

from chassis.store.prepared import prepared
from chassis.store.tables import code
from contracts.vocabulary import ClientGroup, Competence, Sessions, Sex
from services.matching.domain.locations import Point, distance_km
from services.matching.domain.referral import Referral
from services.matching.domain.suitability import AskFirst, Order
from services.matching.domain.therapist import OLDEST_YOUNG, YOUNGEST, Therapist
from services.matching.store.tables import (
    therapist_groups,
    therapist_languages,
    therapists,
)

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


def flag(name: str) -> ColumnElement[bool]:
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
    or_(flag("lower"), therapists.c.competence == Competence.HIGHER),
    or_(flag("not_couple"), therapists.c.couple_work),
    or_(flag("any_sex"), therapists.c.sex == bindparam("only_sex", type_=code(Sex))),
    or_(
        flag("adult"),
        and_(
            therapists.c.young_from_years <= bindparam("youngest", type_=Integer),
            therapists.c.young_to_years >= bindparam("oldest", type_=Integer),
            _takes(ClientGroup.YOUNG_PERSON),
        ),
    ),
    or_(flag("no_interpreter"), therapists.c.works_with_interpreters, _speaks("interpreter")),
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
    or_(flag("no_wheelchair"), therapists.c.wheelchair_access),
)


_ONLINE = therapists.c.sessions != Sessions.IN_PERSON


_UNMET = (
    case((or_(flag("no_sex_liked"), therapists.c.sex == bindparam("liked_sex", type_=code(Sex))), 0), else_=1)
    + case((or_(flag("no_language_liked"), _speaks(*(f"liked_{n}" for n in range(LIKED)))), 0), else_=1)
    + case((or_(flag("no_interpreter"), _speaks("interpreter")), 0), else_=1)
)


_FREE_CAPACITY = (therapists.c.places - therapists.c.places_held).desc()


_EQUALS_FIRST: dict[AskFirst, tuple[ColumnElement[Any], ...]] = {
    AskFirst.LONGEST_AGO: (therapists.c.last_offered_at.asc().nulls_first(), _FREE_CAPACITY, therapists.c.id),
    AskFirst.NEAREST: (_FREE_CAPACITY, therapists.c.id),
}
"""Who goes first of those who are in the same band, or equally near."""


def _able(*columns: Any) -> Select[Any]:
    """Qualified therapists, found by client group and location."""
    return (
        select(*columns)
        .join_from(therapist_groups, therapists, therapist_groups.c.therapist_id == therapists.c.id)
        .where(
            therapist_groups.c.client_group == bindparam("client_group", type_=code(ClientGroup)),
            _ABLE,
            or_(flag("no_must"), _speaks("must")),
        )
    )


def _able_by_language() -> Select[Any]:
    """Qualified therapists, found by the first language that the client needs."""
    return (
        select(Therapist)
        .join(therapist_languages, therapist_languages.c.therapist_id == therapists.c.id)
        .where(therapist_languages.c.language == bindparam("must", type_=String), _TAKES_GROUP, _ABLE)
    )


_WAYS = {False: _able(Therapist), True: _able_by_language()}


_OFFSET, AT_ONCE = bindparam("offset", type_=Integer), bindparam("at_once", type_=Integer)


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
        therapists.c.asked_last == flag("asked_last"),
        bindparam("unmet", type_=Integer) == _UNMET,
    )
    .order_by(*first)
    .limit(AT_ONCE)
    .offset(_OFFSET)
    for ask_first, first in _EQUALS_FIRST.items()
}


_ONLINE_WITH_ROOM = {
    (by_language, ask_first): prepared(
        way.where(_ONLINE, _HAS_ROOM).order_by(therapists.c.asked_last, _UNMET, *first).limit(AT_ONCE).offset(_OFFSET)
    )
    for by_language, way in _WAYS.items()
    for ask_first, first in _EQUALS_FIRST.items()
}


# By price: after one who costs too much nobody costs less.
_BY_PRICE = (therapists.c.session_fee_pence, therapists.c.id)


_ABLE_NEAR = prepared(_WAYS[False].where(_IN_BOX).order_by(*_BY_PRICE).limit(AT_ONCE).offset(_OFFSET))


_ABLE_ONLINE = {
    by_language: prepared(way.where(_ONLINE).order_by(*_BY_PRICE).limit(AT_ONCE).offset(_OFFSET))
    for by_language, way in _WAYS.items()
}


_ANYBODY_ABLE = {by_language: prepared(way.limit(1)) for by_language, way in _WAYS.items()}


def with_room_near(session: Session, referral: Referral, order: Order) -> Iterator[Therapist]:
    """Therapists with room whom the client could visit, in the order of `Candidate.rank`, read as they are taken.

    Distances are computed by outward code, of which there are few, however many therapists there are.
    """
    here, box = referral.point, _box(referral)
    if here is None:
        return
    given = _given(referral) | box
    spots: dict[tuple[bool, int, float], list[str]] = {}
    for outward_code, latitude, longitude, asked_last, unmet in session.execute(_SPOTS_WITH_ROOM, given):
        place = order.band(round(distance_km(Point(latitude, longitude), here), 1))
        spots.setdefault((asked_last, unmet, place), []).append(outward_code)
    for (asked_last, unmet, _), outward_codes in sorted(spots.items()):
        equals = {"asked_last": asked_last, "unmet": unmet, "spots": outward_codes}
        yield from _paged(session, _AT_SPOTS_WITH_ROOM[order.ask_first], given | equals)


def with_room_online(session: Session, referral: Referral, order: Order) -> Iterator[Therapist]:
    """Therapists with room who also, or only, work online, in the order of `Candidate.rank`, read as they are taken."""
    given = _given(referral)
    return _paged(session, _ONLINE_WITH_ROOM[bool(given["must"]), order.ask_first], given)


def able(session: Session, referral: Referral) -> Iterator[Therapist]:
    """Therapists who lack nothing but room or a lower price; after them one who is qualified, wherever they are."""
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
    must = next((language for language in needs.languages if language != needs.interpreter), NO_LANGUAGE)
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
