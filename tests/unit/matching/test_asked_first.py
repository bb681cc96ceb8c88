"""Who of those who suit is asked first, and what a therapist's answers, and silence, come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.commands.matching import AcceptOffer, ChangePlaces
from contracts.events.matching import TherapistNotAnswering
from contracts.vocabulary import DeclineReason, OfferId, Sessions, Sex, TherapistId
from services.matching import errors
from services.matching.domain.offer import OfferNoLongerOpen
from services.matching.domain.suitability import AskFirst, Order
from services.matching.handlers import commands
from services.matching.store import tables, therapists
from tests.unit.matching.conftest import CARDIFF, NEWPORT, SETTINGS, Matching, a_toolbox

NEAR_NEWPORT = "NP19"
"""Some 3 km from NP20, so in the same band."""


@pytest.fixture
def nearest_first(keys: Path) -> Matching:
    settings = replace(SETTINGS, order=Order(AskFirst.NEAREST))
    return Matching("matching", tables.metadata, dependencies=a_toolbox(keys, settings))


def take_somebody(matching: Matching, therapist_id: TherapistId) -> None:
    referral_id = matching.search_for()
    assert matching.asked(referral_id) == therapist_id
    matching.accept(referral_id)
    matching.pass_time(minutes=1)


def test_within_a_band_of_distance_who_was_asked_longest_ago_is_asked_first(matching: Matching) -> None:
    near = matching.admit(outward_code=NEWPORT, places=9)
    take_somebody(matching, near)
    a_little_further = matching.admit(outward_code=NEAR_NEWPORT)
    matching.admit(outward_code=CARDIFF)
    assert matching.asked(matching.search_for()) == a_little_further


def test_a_nearer_band_goes_first_however_lately_they_were_asked(matching: Matching) -> None:
    near = matching.admit(outward_code=NEWPORT, places=9)
    take_somebody(matching, near)
    matching.admit(outward_code=CARDIFF)
    assert matching.asked(matching.search_for()) == near


@pytest.mark.parametrize("sessions", [Sessions.ONLINE, Sessions.IN_PERSON])
def test_offers_go_round(matching: Matching, sessions: Sessions) -> None:
    everybody = {matching.admit(sessions=sessions, places=places) for places in (9, 5, 3)}
    asked = []
    for _ in range(6):
        asked.append(matching.asked(matching.search_for(sessions=sessions)))
        matching.pass_time(minutes=1)
    assert set(asked[:3]) == everybody
    assert asked[3:] == asked[:3]


def test_nearest_first_is_a_choice(nearest_first: Matching) -> None:
    near = nearest_first.admit(outward_code=NEWPORT, places=9)
    take_somebody(nearest_first, near)
    nearest_first.admit(outward_code=NEAR_NEWPORT)
    assert nearest_first.asked(nearest_first.search_for()) == near


@pytest.mark.parametrize("which", ["matching", "nearest_first"])
@pytest.mark.parametrize("sessions", [Sessions.ONLINE, Sessions.IN_PERSON])
def test_of_equals_the_one_with_most_places_that_are_free_goes_first(
    which: str, sessions: Sessions, request: pytest.FixtureRequest
) -> None:
    matching: Matching = request.getfixturevalue(which)
    # Four places, three of them held by offers that only this one suits.
    busy = matching.admit(sessions=sessions, places=4, sex=Sex.MALE)
    for _ in range(3):
        matching.search_for(sessions=sessions, therapist_sex=Sex.MALE, therapist_sex_only=True)
    roomy = matching.admit(sessions=sessions, places=3)
    matching.pass_time(minutes=1)
    with matching.database.unit() as unit:
        for one in (busy, roomy):
            therapist = therapists.find_therapist(unit.session, one)
            assert therapist is not None
            therapist.last_offered_at = None
    assert matching.asked(matching.search_for(sessions=sessions)) == roomy


def test_who_has_no_room_is_asked_no_more(matching: Matching) -> None:
    therapist_id = matching.admit(places=3)
    matching.decline(matching.search_for(), DeclineReason.NO_ROOM)
    referral_id = matching.search_for()
    assert matching.asked(referral_id) is None
    matching.ask(commands.change_places, ChangePlaces(therapist_id=therapist_id, places=1))
    matching.run()
    assert matching.asked(referral_id) == therapist_id


def test_who_has_no_room_keeps_the_offers_that_are_open(matching: Matching) -> None:
    matching.admit(places=3)
    open_still, declined = matching.search_for(), matching.search_for()
    matching.decline(declined, DeclineReason.NO_ROOM)
    matching.accept(open_still)
    assert matching.asked(matching.search_for()) is None


def test_who_is_away_is_not_asked_before_the_day_they_named(matching: Matching) -> None:
    therapist_id = matching.admit(places=3)
    matching.decline(matching.search_for(), DeclineReason.AWAY, until=date(2026, 11, 25))
    referral_id = matching.search_for()
    matching.pass_time(hours=37)
    assert matching.asked(referral_id) is None, "it is 23:00 on the day before"
    matching.pass_time(hours=1)
    assert matching.asked(referral_id) == therapist_id


@pytest.mark.parametrize("until", [None, date(2026, 11, 23), date(2026, 11, 1)])
def test_who_is_away_says_until_when_and_the_offer_stays_open(matching: Matching, until: date | None) -> None:
    matching.admit()
    referral_id = matching.search_for()
    with pytest.raises(errors.AwayUntilWhen, match="until when"):
        matching.decline(referral_id, DeclineReason.AWAY, until=until)
    assert matching.asked(referral_id) is not None


def test_who_went_away_again_for_longer_is_not_asked_on_the_first_day(matching: Matching) -> None:
    matching.admit(places=3)
    first, second = matching.search_for(), matching.search_for()
    matching.decline(first, DeclineReason.AWAY, until=date(2026, 11, 25))
    matching.decline(second, DeclineReason.AWAY, until=date(2026, 12, 25))
    matching.pass_time(days=3)
    assert matching.asked(matching.search_for()) is None


def test_who_says_how_many_they_can_take_is_back(matching: Matching) -> None:
    therapist_id = matching.admit(places=3)
    matching.decline(matching.search_for(), DeclineReason.AWAY, until=date(2026, 12, 25))
    matching.ask(commands.change_places, ChangePlaces(therapist_id=therapist_id, places=2))
    assert matching.asked(matching.search_for()) == therapist_id


def let_expire(matching: Matching, times: int) -> None:
    for _ in range(times):
        matching.search_for()
        matching.pass_time(days=7)


def test_three_offers_in_a_row_that_expire_are_told_to_a_person_once(matching: Matching) -> None:
    silent = matching.admit(places=9)
    let_expire(matching, 2)
    assert matching.emitted(TherapistNotAnswering) == []
    let_expire(matching, 3)
    assert matching.emitted(TherapistNotAnswering) == [TherapistNotAnswering(therapist_id=silent, offers_expired=3)]


@pytest.mark.parametrize("sessions", [Sessions.ONLINE, Sessions.IN_PERSON])
def test_who_does_not_answer_is_asked_last(matching: Matching, sessions: Sessions) -> None:
    silent = matching.admit(places=9, outward_code=NEWPORT, sessions=Sessions.EITHER)
    let_expire(matching, 3)
    other = matching.admit(outward_code=CARDIFF, sessions=Sessions.EITHER, places=4)
    assert matching.asked(matching.search_for(sessions=sessions)) == other
    assert matching.asked(matching.search_for(sessions=sessions)) == silent


@pytest.mark.parametrize("accepted", [True, False])
def test_an_answer_begins_the_count_anew(matching: Matching, accepted: bool) -> None:
    matching.admit(places=9)
    let_expire(matching, 2)
    referral_id = matching.search_for()
    if accepted:
        matching.accept(referral_id)
    else:
        matching.decline(referral_id)
    let_expire(matching, 2)
    assert matching.emitted(TherapistNotAnswering) == []


def test_after_an_answer_they_are_asked_as_everybody_is(matching: Matching) -> None:
    silent = matching.admit(places=9, outward_code=NEWPORT)
    let_expire(matching, 3)
    matching.decline(matching.search_for())
    matching.admit(outward_code=CARDIFF)
    assert matching.asked(matching.search_for()) == silent


def test_an_offer_that_has_expired_can_not_be_accepted_before_the_timer_has_said_so(matching: Matching) -> None:
    matching.admit()
    referral_id = matching.search_for()
    offer = matching.offer_of(referral_id)
    matching.clock.advance(timedelta(days=2))
    with pytest.raises(OfferNoLongerOpen, match="expired"):
        answer = AcceptOffer(offer_id=OfferId(offer.offer_id), therapist_id=TherapistId(offer.therapist_id))
        matching.ask(commands.accept_offer, answer)
