"""Whom a client can be offered: what they need excludes, what they prefer ranks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.events.billing import SubsidyWaitlisted
from contracts.events.intake import TherapyLanguage
from contracts.events.matching import OfferWithdrawn, TherapistOffered
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    OfferWithdrawalReason,
    Sessions,
    Sex,
    StallReason,
    SubsidyWaitReason,
)
from services.matching.handlers import events
from tests.unit.matching.conftest import CARDIFF, LONDON, NEWPORT, POLISH_ONLY, Matching, approved

FOR_ADULTS = (ClientGroup.AT_RISK,)
FOR_YOUNG = (ClientGroup.AT_RISK, ClientGroup.YOUNG_PERSON)
FIFTEEN = {"age_band": AgeBand.UNDER_18, "age_years": 15}
NO_AGE = {"age_band": AgeBand.UNDER_18}

YOUNG: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "nobody for adults": ({"client_groups": FOR_ADULTS}, FIFTEEN, False),
    "nobody for adults, the age not being known": ({"client_groups": FOR_ADULTS}, NO_AGE, False),
    "who is qualified": ({"client_groups": FOR_YOUNG}, FIFTEEN, True),
    "not for younger ones": ({"client_groups": FOR_YOUNG, "young_to_years": 12}, FIFTEEN, False),
    "not for older ones": ({"client_groups": FOR_YOUNG, "young_from_years": 16}, FIFTEEN, False),
    "just of that age": ({"client_groups": FOR_YOUNG, "young_from_years": 15, "young_to_years": 15}, FIFTEEN, True),
    "for every age, that not being known": ({"client_groups": FOR_YOUNG}, NO_AGE, True),
    "not for some, it not being known": ({"client_groups": FOR_YOUNG, "young_from_years": 11}, NO_AGE, False),
    "not for others, it not being known": ({"client_groups": FOR_YOUNG, "young_to_years": 12}, NO_AGE, False),
    "nor of the young who doesn't take the group": (
        {"client_groups": (ClientGroup.YOUNG_PERSON,)}, FIFTEEN, False,
    ),
    "an adult by whoever is for both": ({"client_groups": FOR_YOUNG, "young_from_years": 11}, {}, True),
    "whose group says so": (
        {"client_groups": (ClientGroup.YOUNG_PERSON,)}, {"client_group": ClientGroup.YOUNG_PERSON}, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("who", YOUNG)
def test_a_young_person_is_offered_to_who_is_qualified_for_their_age(matching: Matching, who: str) -> None:
    therapist, client, suits = YOUNG[who]
    therapist_id, referral_id = matching.admit(**therapist), matching.search_for(**client)
    assert matching.asked(referral_id) == (therapist_id if suits else None)
    assert matching.are_made_for(therapist_id, referral_id) is suits


def test_an_age_that_is_told_with_the_assessment_alone_counts(matching: Matching) -> None:
    matching.admit(client_groups=FOR_ADULTS)
    assert matching.asked(matching.search_for(age_years=15)) is None


WELSH = TherapyLanguage(language="cy")
LANGUAGES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "a must": ({}, {"therapy_languages": POLISH_ONLY}, False),
    "both of two musts": ({"languages": ("pl",)}, {"therapy_languages": (*POLISH_ONLY, WELSH)}, True),
    "one of two musts": (
        {"languages": ("pl",)},
        {"therapy_languages": (*POLISH_ONLY, TherapyLanguage(language="cy", must=True))},
        False,
    ),
    "a wish": ({}, {"therapy_languages": (WELSH,)}, True),
    "who speaks it needs no interpreter": ({"languages": ("en", "pl")}, {"interpreter_language": "pl"}, True),
    "who works with interpreters": ({"works_with_interpreters": True}, {"interpreter_language": "pl"}, True),
    "who neither speaks it nor works with them": ({}, {"interpreter_language": "pl"}, False),
    "a must that an interpreter stands in for": (
        {"works_with_interpreters": True}, {"interpreter_language": "pl", "therapy_languages": POLISH_ONLY}, True,
    ),
    "an interpreter of nobody knows which": ({"works_with_interpreters": True}, {"interpreter_language": "und"}, True),
}  # fmt: skip


@pytest.mark.parametrize("sessions", [Sessions.IN_PERSON, Sessions.ONLINE])
@pytest.mark.parametrize("what", LANGUAGES)
def test_in_which_language_therapy_must_be_filters(matching: Matching, what: str, sessions: Sessions) -> None:
    therapist, client, suits = LANGUAGES[what]
    therapist_id = matching.admit(sessions=sessions, **therapist)
    referral_id = matching.search_for(sessions=sessions, **client)
    assert matching.asked(referral_id) == (therapist_id if suits else None)
    assert matching.are_made_for(therapist_id, referral_id) is suits


def test_an_offer_says_that_an_interpreter_is_needed_only_to_who_does_not_speak_the_language(
    matching: Matching,
) -> None:
    matching.admit(works_with_interpreters=True)
    speaks = matching.admit(outward_code=CARDIFF, languages=("pl",), works_with_interpreters=True)
    first = matching.search_for(interpreter_language="pl")
    second = matching.search_for(interpreter_language="pl")
    assert matching.asked(first) == speaks
    assert matching.asked(second) not in (None, speaks)
    assert [one.interpreter_language for one in matching.emitted(TherapistOffered)] == [None, "pl"]


WISHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the therapist's sex": ({"sex": Sex.MALE}, {"therapist_sex": Sex.MALE}),
    "the language": ({"languages": ("en", "cy")}, {"therapy_languages": (WELSH,)}),
    "the language of letters, where nobody asked": ({"languages": ("en", "cy")}, {"language": "cy"}),
    "nobody having to interpret": ({"languages": ("en", "pl")}, {"interpreter_language": "pl"}),
}


@pytest.mark.parametrize("online", [False, True])
@pytest.mark.parametrize("what", WISHES)
def test_a_wish_ranks_and_does_not_exclude(matching: Matching, what: str, online: bool) -> None:
    therapist, client = WISHES[what]
    sessions = {"sessions": Sessions.ONLINE if online else Sessions.IN_PERSON}
    other = matching.admit(outward_code=NEWPORT, **sessions, places=3, works_with_interpreters=True)
    wished = matching.admit(outward_code=CARDIFF, **sessions, **therapist)
    assert matching.asked(matching.search_for(**sessions, **client)) == wished
    assert matching.asked(matching.search_for(**sessions, **client)) == other


@pytest.mark.parametrize("what", WISHES)
def test_a_wish_that_somebody_meets_online_goes_before_meeting_in_person(matching: Matching, what: str) -> None:
    therapist, client = WISHES[what]
    matching.admit(works_with_interpreters=True)
    wished = matching.admit(sessions=Sessions.ONLINE, outward_code=LONDON, **therapist)
    assert matching.asked(matching.search_for(sessions=Sessions.EITHER, **client)) == wished


def test_what_a_client_can_pay_counts_without_a_subsidy_too(matching: Matching) -> None:
    matching.admit(session_fee_pence=200_00)
    dear = matching.search_for(most_per_session=40_00)
    assert matching.standing(dear).waiting_for is StallReason.NOBODY_AFFORDABLE
    assert matching.asked(matching.search_for()) is not None, "who doesn't mind can be asked about"


def test_the_newest_word_on_what_they_can_pay_counts(matching: Matching) -> None:
    therapist = matching.admit(session_fee_pence=40_00)
    assert matching.asked(matching.search_for(fee_ceiling_pence=20_00, most_per_session=40_00)) == therapist


def test_an_open_offer_is_taken_back_that_the_client_can_no_longer_pay(matching: Matching) -> None:
    matching.admit(session_fee_pence=60_00)
    referral_id = matching.receive(subsidy_requested=True, fee_ceiling_pence=20_00)
    matching.hear(events.note_subsidy, approved(referral_id, 40_00))
    matching.assess(referral_id)
    assert matching.asked(referral_id) is not None
    no_money = SubsidyWaitlisted(referral_id=referral_id, reason=SubsidyWaitReason.NO_MONEY)
    matching.hear(events.note_subsidy_waitlisted, no_money)
    assert matching.standing(referral_id).waiting_for is StallReason.NOBODY_AFFORDABLE
    assert [one.reason for one in matching.emitted(OfferWithdrawn)] == [OfferWithdrawalReason.NO_LONGER_SUITABLE]


IN_PRISON = {"client_group": ClientGroup.IN_PRISON, "sessions": Sessions.EITHER, "outward_code": LONDON}
FOR_PRISON = {"client_groups": (ClientGroup.IN_PRISON,)}


@pytest.mark.parametrize(
    ("client", "suits"),
    [
        ({}, False),
        ({"sessions": Sessions.ONLINE}, False),
        ({"online_allowed": False}, False),
        ({"online_allowed": True}, True),
        ({"release_on": date(2026, 11, 24)}, False),
        ({"release_on": date(2026, 11, 23)}, True),
    ],
)
def test_no_session_is_held_online_inside_unless_the_prison_allows_it(
    matching: Matching, client: dict[str, Any], suits: bool
) -> None:
    therapist_id = matching.admit(sessions=Sessions.ONLINE, **FOR_PRISON)
    assert matching.asked(matching.search_for(**(IN_PRISON | client))) == (therapist_id if suits else None)


def test_the_area_of_release_decides_where_a_therapist_is_sought(matching: Matching) -> None:
    matching.admit(outward_code=LONDON, **FOR_PRISON)
    at_home = matching.admit(outward_code=NEWPORT, **FOR_PRISON)
    referral_id = matching.search_for(**IN_PRISON, release_area=NEWPORT)
    assert matching.asked(referral_id) == at_home


def test_where_they_are_told_to_be_now_does_not_undo_where_they_will_be(matching: Matching) -> None:
    at_home = matching.admit(outward_code=NEWPORT, **FOR_PRISON)
    referral_id = matching.search_for(**IN_PRISON, release_area=NEWPORT)
    matching.hear(events.note_referral, matching.received(referral_id, **IN_PRISON))
    assert matching.asked(referral_id) == at_home


def test_on_the_day_of_release_somebody_online_can_be_asked(matching: Matching) -> None:
    therapist_id = matching.admit(sessions=Sessions.ONLINE, **FOR_PRISON)
    referral_id = matching.search_for(**IN_PRISON, release_on=date(2026, 11, 25))
    matching.pass_time(hours=37)
    assert matching.asked(referral_id) is None, "it is 23:00 on the day before"
    matching.pass_time(hours=1)
    assert matching.asked(referral_id) == therapist_id


def test_a_person_may_relax_a_need(matching: Matching) -> None:
    therapist_id = matching.admit(sex=Sex.FEMALE)
    referral_id = matching.search_for(therapist_sex=Sex.MALE, therapist_sex_only=True)
    assert matching.asked(referral_id) is None
    matching.assess(referral_id, therapist_sex=Sex.MALE)
    assert matching.asked(referral_id) == therapist_id


def test_a_need_that_comes_late_takes_an_open_offer_back(matching: Matching) -> None:
    matching.admit(sex=Sex.FEMALE)
    referral_id = matching.search_for()
    other = matching.admit(sex=Sex.MALE)
    matching.assess(referral_id, therapist_sex=Sex.MALE, therapist_sex_only=True)
    assert matching.asked(referral_id) == other


def test_an_older_assessment_is_dropped(matching: Matching) -> None:
    therapist_id = matching.admit(sex=Sex.FEMALE)
    referral_id = matching.receive()
    matching.assess(referral_id, sequence=5)
    matching.assess(referral_id, sequence=4, therapist_sex=Sex.MALE, therapist_sex_only=True)
    assert matching.asked(referral_id) == therapist_id
