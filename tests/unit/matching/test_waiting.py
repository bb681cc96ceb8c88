"""The waiting list: what it says is so, and whom room that has come is tried for."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from contracts.commands.matching import ChangePlaces
from contracts.events.intake import ReferralHeld, ReferralResumed, TherapyLanguage
from contracts.events.matching import MatchingStalled
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Competence,
    HoldReason,
    ReferralId,
    ResumptionReason,
    Sessions,
    Sex,
    StallReason,
    TherapistId,
    Work,
)
from services.matching.application import search
from services.matching.domain.needs import Needs
from services.matching.domain.referral import Referral
from services.matching.domain.suitability import candidate
from services.matching.domain.therapist import Therapist
from services.matching.handlers import commands, lifecycle, timers
from services.matching.store import candidates, offers, waiting_list
from tests.conftest import STORES
from tests.support.statements import listening
from tests.unit.matching.conftest import CARDIFF, LONDON, NEWPORT, SETTINGS, TIMERS, Matching, a_matching


def test_who_is_offered_after_waiting_waits_no_longer(matching: Matching) -> None:
    referral_id = matching.search_for()
    matching.pass_time(days=6)
    matching.admit()
    standing = matching.standing(referral_id)
    assert (standing.state, standing.waiting_since, standing.waiting_for) == ("offered", None, None)
    matching.clock.advance(timedelta(days=1))
    matching.fire_due(TIMERS)
    assert matching.emitted(MatchingStalled) == []


def test_the_clock_of_waiting_goes_on_when_the_offer_comes_to_nothing(matching: Matching) -> None:
    referral_id = matching.search_for()
    matching.pass_time(days=6)
    matching.admit()
    matching.pass_time(hours=5)
    matching.decline(referral_id)
    assert matching.standing(referral_id).waiting_since == matching.clock.now() - timedelta(days=6)
    matching.pass_time(hours=23)
    assert matching.emitted(MatchingStalled) == []
    matching.pass_time(hours=1)
    (stalled,) = matching.emitted(MatchingStalled)
    assert (stalled.referral_id, stalled.reason) == (referral_id, StallReason.ALL_DECLINED)


def test_nobody_is_told_twice_however_often_an_offer_comes_to_nothing(matching: Matching) -> None:
    referral_id = matching.search_for()
    matching.pass_time(days=8)
    matching.admit()
    matching.decline(referral_id)
    matching.pass_time(days=30)
    assert len(matching.emitted(MatchingStalled)) == 1


def test_who_was_offered_or_on_hold_meanwhile_keeps_their_place_on_the_list(matching: Matching) -> None:
    first = matching.search_for()
    matching.pass_time(hours=2)
    second = matching.search_for()
    matching.admit()
    matching.decline(first)
    matching.hear(lifecycle.pause, ReferralHeld(referral_id=first, reason=HoldReason.CLIENT_NOT_READY))
    matching.hear(lifecycle.resume, ReferralResumed(referral_id=first, reason=ResumptionReason.CLIENT_READY))
    assert matching.asked(second) is not None, "the first declined referral left its therapist to the second"
    third = matching.search_for()
    matching.admit(places=1)
    assert (matching.asked(first) is not None, matching.asked(third)) == (True, None)


def test_the_reason_that_a_person_is_told_is_the_one_of_today(matching: Matching) -> None:
    matching.search_for()
    matching.admit(places=0)
    matching.pass_time(days=7)
    (stalled,) = matching.emitted(MatchingStalled)
    assert stalled.reason is StallReason.NOBODY_WITH_ROOM


@pytest.fixture(params=STORES)
def on_each_store(request: pytest.FixtureRequest) -> Matching:
    return a_matching(request)


def test_a_place_goes_to_the_longest_waiting_whom_it_suits_whatever_else_they_need(on_each_store: Matching) -> None:
    matching = on_each_store
    waiting = []
    for therapist_sex_only in (False, True, False):
        waiting.append(matching.search_for(therapist_sex=Sex.FEMALE, therapist_sex_only=therapist_sex_only))
        matching.pass_time(minutes=1)
    for count in range(3):
        matching.admit(places=1)
        assert [matching.asked(one) is not None for one in waiting] == [place <= count for place in range(3)]


def test_more_places_than_one_unit_of_work_serves_are_all_given(on_each_store: Matching) -> None:
    matching = on_each_store
    waiting = [matching.search_for() for _ in range(3 * timers.TRIED_AT_ONCE)]
    matching.admit(places=len(waiting) - 1)
    assert Counter(matching.asked(one) is not None for one in waiting) == {True: len(waiting) - 1, False: 1}


def test_whom_only_a_corner_of_the_box_holds_are_passed_over_for_good(on_each_store: Matching) -> None:
    """More of them than one unit of work tries: the next goes on after them, and comes to an end."""
    matching = on_each_store
    for _ in range(timers.TRIED_AT_ONCE + 1):
        matching.search_for(outward_code="CF3", max_distance_km=10.9)
    matching.pass_time(minutes=1)
    able = matching.search_for(outward_code=NEWPORT)
    therapist_id = matching.admit()
    assert matching.asked(able) == therapist_id
    with matching.database.reading() as unit:
        assert waiting_list.next_openings(unit.session, limit=1) == []


def test_those_who_have_other_needs_cost_no_work(on_each_store: Matching) -> None:
    matching = on_each_store
    for _ in range(60):
        matching.search_for(client_group=ClientGroup.SURVIVOR)
    for _ in range(60):
        matching.admit(client_groups=(ClientGroup.FAMILY,))
    therapist_id = matching.admit(places=0)
    referral_id = matching.search_for()
    matching.ask(commands.change_places, ChangePlaces(therapist_id=therapist_id, places=1))
    with listening(matching.database.engine) as statements:
        matching.run()
    assert matching.asked(referral_id) == therapist_id
    assert len(statements) < 60, "a statement for each of them would be more"


# What the indexes leave out must be what the domain would have left out.

GROUPS = (ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.IN_PRISON, ClientGroup.YOUNG_PERSON)


def a_therapist(rng: Random) -> dict[str, Any]:
    ages = sorted(rng.sample(range(18), 2))
    return {
        "client_groups": tuple(rng.sample(GROUPS, rng.randint(1, 4))),
        "competence": rng.choice(list(Competence)),
        "couple_work": rng.random() < 0.5,
        "outward_code": rng.choice((NEWPORT, CARDIFF, LONDON)),
        "sessions": rng.choice(list(Sessions)),
        "languages": tuple(rng.sample(("en", "cy", "pl"), rng.randint(1, 3))),
        "session_fee_pence": rng.choice((40_00, 80_00, 200_00)),
        "sex": rng.choice(list(Sex)),
        "wheelchair_access": rng.random() < 0.7,
        "works_with_interpreters": rng.random() < 0.3,
        "young_from_years": ages[0],
        "young_to_years": ages[1],
        "places": rng.randint(0, 2),
    }


def a_client(rng: Random) -> dict[str, Any]:
    young = rng.random() < 0.3
    return {
        "client_group": rng.choice(GROUPS),
        "age_band": AgeBand.UNDER_18 if young else AgeBand.FROM_35,
        "age_years": rng.choice((None, 8, 15)) if young else None,
        "outward_code": rng.choice((NEWPORT, CARDIFF, LONDON, "ZZ99")),
        "sessions": rng.choice(list(Sessions)),
        "max_distance_km": rng.choice((5.0, 30.0, 300.0)),
        "language": rng.choice(("en", "cy")),
        "therapy_languages": tuple(
            TherapyLanguage(language=one, must=rng.random() < 0.5) for one in rng.sample(("en", "cy", "pl"), 1)
        ),
        "interpreter_language": rng.choice((None, None, "pl")),
        "most_per_session": rng.choice((None, 40_00, 100_00)),
        "competence": rng.choice(list(Competence)),
        "work": rng.choice((Work.INDIVIDUAL, Work.COUPLE)),
        "therapist_sex": rng.choice((None, *Sex)),
        "therapist_sex_only": rng.random() < 0.5,
        "wheelchair_access": rng.random() < 0.3,
        "online_allowed": rng.choice((None, True, False)),
    }


def pairs(matching: Matching, referral_ids: list[ReferralId]) -> tuple[Any, ...]:
    """For those who wait: whom the domain, asked about everybody, would ask; and whom the two ways by index find."""
    with matching.database.reading() as unit:
        everybody = list(unit.session.execute(select(Therapist)).scalars())
        waiting = [one for one in unit.session.execute(select(Referral)).scalars() if one.waiting_needs]
        allowed = {
            (one.id, other.id) for one in waiting for other in everybody if candidate(one, other, excluded=set())
        }
        by_referral, by_therapist = set(), set()
        for one in waiting:
            found = list(candidates.with_room_online(unit.session, one, SETTINGS.order))
            if one.would_meet_in_person:
                found += candidates.with_room_near(unit.session, one, SETTINGS.order)
            by_referral |= {(one.id, other.id) for other in found}
        for other in (one for one in everybody if one.can_be_asked):
            places = waiting_list.waiting_for(unit.session, other, after=waiting_list.HEAD, limit=1_000)
            by_therapist |= {(id_, other.id) for _, id_ in places}
        assert {one.id for one in waiting} <= set(referral_ids)
        return allowed, by_referral, by_therapist


@pytest.mark.parametrize("seed", range(3))
def test_both_ways_of_searching_find_whoever_suits(
    on_each_store: Matching, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    matching, rng = on_each_store, Random(seed)
    # Nobody is asked, so that all who could be stay to be found.
    monkeypatch.setattr(search, "_candidates", lambda *_: iter(()))
    referral_ids = [matching.search_for(**a_client(rng)) for _ in range(40)]
    for _ in range(40):
        matching.admit(**a_therapist(rng))
    allowed, by_referral, by_therapist = pairs(matching, referral_ids)
    assert len(allowed) > 15, "the sample says something"
    assert allowed <= by_referral
    assert allowed <= by_therapist


@pytest.mark.parametrize("seed", range(3))
def test_after_anything_nobody_waits_whom_somebody_with_room_suits(matching: Matching, seed: int) -> None:
    """What trying everybody for every room brought about, in any order of what may happen."""
    rng = Random(seed)
    therapists: list[TherapistId] = []
    referral_ids: list[ReferralId] = []
    for _ in range(60):
        what = rng.random()
        if what < 0.4:
            referral_ids.append(matching.search_for(**a_client(rng)))
        elif what < 0.7 or not therapists:
            therapists.append(matching.admit(**a_therapist(rng)))
        elif what < 0.85:
            places = ChangePlaces(therapist_id=rng.choice(therapists), places=rng.randint(0, 2))
            matching.ask(commands.change_places, places)
        else:
            offered = [one for one in referral_ids if matching.asked(one)]
            for one in offered[:1]:
                matching.decline(one)
        matching.pass_time(minutes=1)
        assert unserved(matching) == []


def unserved(matching: Matching) -> list[tuple[ReferralId, TherapistId]]:
    with matching.database.reading() as unit:
        everybody = list(unit.session.execute(select(Therapist)).scalars())
        waiting = [one for one in unit.session.execute(select(Referral)).scalars() if one.waiting_needs]
        return [
            (one.id, other.id)
            for one in waiting
            for other in everybody
            if candidate(one, other, excluded=offers.already_asked(unit.session, one.id))
        ]


def test_needs_are_read_back_from_their_key() -> None:
    rng = Random(7)
    for _ in range(200):
        needs = Needs(
            client_group=rng.choice(list(ClientGroup)),
            competence=rng.choice(list(Competence)),
            couple=rng.random() < 0.5,
            young=rng.random() < 0.5,
            age_years=rng.choice((None, 0, 17)),
            sex=rng.choice((None, *Sex)),
            languages=tuple(sorted(rng.sample(("cy", "bfi", "pl"), rng.randint(0, 3)))),
            interpreter=rng.choice((None, "und")),
        )
        assert Needs.of_key(needs.key) == needs
        assert len(needs.key) <= 160
