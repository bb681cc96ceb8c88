"""The sample therapists: enough of each kind, and nobody real."""

import json
import re
from collections import Counter
from dataclasses import fields

import pytest

from contracts.commands.matching import AdmitTherapist
from contracts.sealed import TherapistContact
from contracts.vocabulary import ClientGroup, Competence, Sessions, Sex
from leeward.demo.places import GWENT, SOUTH_WALES, all_places
from leeward.demo.therapists import SampleTherapist, admission, directory
from services.matching.gateways.outward_codes import OutwardCodes

SEEDS = (1, 7, 2026)
LEFT_AS_USUAL = {"works_with_interpreters", "young_from_years", "young_to_years"}


@pytest.fixture(params=SEEDS)
def therapists(request: pytest.FixtureRequest) -> list[SampleTherapist]:
    return directory(seed=request.param)


def outward_codes_in(authorities: frozenset[str]) -> set[str]:
    return {place.outward_code for place in all_places() if place.local_authority in authorities}


def test_there_are_120_unless_another_number_is_asked_for(therapists: list[SampleTherapist]) -> None:
    assert len(therapists) == 120
    assert [len(directory(seed=1, count=count)) for count in (0, 1, 7, 500)] == [0, 1, 7, 500]


def test_the_same_seed_draws_the_same_therapists_and_another_one_others() -> None:
    assert directory(seed=1) == directory(seed=1)
    assert not {one.therapist_id for one in directory(seed=1)} & {one.therapist_id for one in directory(seed=2)}


def test_every_therapist_can_be_admitted_and_keeps_what_was_said(therapists: list[SampleTherapist]) -> None:
    for therapist in therapists:
        command = admission(therapist, "sealed")
        assert AdmitTherapist.from_json(json.loads(command.encode())) == command
        assert command.contact == "sealed"
        for name in {field.name for field in fields(AdmitTherapist)} - {"contact", *LEFT_AS_USUAL}:
            assert getattr(command, name) == getattr(therapist, name)


def test_no_two_therapists_share_an_identity_or_an_address(therapists: list[SampleTherapist]) -> None:
    assert len({one.therapist_id for one in therapists}) == len({one.contact.email for one in therapists}) == 120


def test_nobody_can_be_reached(therapists: list[SampleTherapist]) -> None:
    for contact in (therapist.contact for therapist in therapists):
        assert TherapistContact.from_json(json.loads(contact.encode())) == contact
        assert contact.email.endswith("@example.org")
        assert contact.telephone is not None
        assert re.fullmatch(r"\+44(7700900\d{3}|1632960\d{3}|2079460\d{3}|2920180\d{3})", contact.telephone)


def test_four_in_ten_have_the_higher_competence(therapists: list[SampleTherapist]) -> None:
    assert Counter(one.competence for one in therapists) == {Competence.HIGHER: 48, Competence.LOWER: 72}


def test_they_have_420_places_one_to_six_each(therapists: list[SampleTherapist]) -> None:
    assert sum(one.places for one in therapists) == 420
    assert {one.places for one in therapists} == {1, 2, 3, 4, 5, 6}


def test_sessions_are_held_as_the_table_says(therapists: list[SampleTherapist]) -> None:
    counted = Counter(one.sessions for one in therapists)
    assert counted == {Sessions.EITHER: 66, Sessions.IN_PERSON: 30, Sessions.ONLINE: 24}


def test_there_are_some_in_gwent_and_in_south_wales(therapists: list[SampleTherapist]) -> None:
    outward = [one.outward_code for one in therapists]
    assert sum(code in outward_codes_in(GWENT) for code in outward) >= 6
    assert sum(code in outward_codes_in(SOUTH_WALES) for code in outward) >= 6


def test_every_client_group_is_seen_by_some_and_family_by_most(therapists: list[SampleTherapist]) -> None:
    counted = Counter(group for one in therapists for group in one.client_groups)
    assert set(counted) == set(ClientGroup)
    assert counted[ClientGroup.FAMILY] > 80
    assert 10 <= counted[ClientGroup.YOUNG_PERSON] <= 15


def test_most_who_see_survivors_see_nobody_who_did_harm(therapists: list[SampleTherapist]) -> None:
    with_survivors = [one for one in therapists if ClientGroup.SURVIVOR in one.client_groups]
    mixed = [one for one in with_survivors if ClientGroup.OFFENDED in one.client_groups]
    assert 0 < len(mixed) < len(with_survivors) / 4


def test_couple_work_is_for_those_who_see_families(therapists: list[SampleTherapist]) -> None:
    couples = [one for one in therapists if one.couple_work]
    assert len(couples) > 20
    assert all(ClientGroup.FAMILY in one.client_groups for one in couples)


def test_a_session_costs_40_to_120_pounds_in_steps_of_five(therapists: list[SampleTherapist]) -> None:
    fees = [one.session_fee_pence for one in therapists]
    assert set(fees) <= set(range(40_00, 120_01, 5_00))
    assert min(fees) == 40_00
    assert max(fees) > 95_00


def test_all_speak_english_and_some_another_language_too(therapists: list[SampleTherapist]) -> None:
    assert all(one.languages[0] == "en" for one in therapists)
    assert len({language for one in therapists for language in one.languages}) >= 5
    assert {one.sex for one in therapists} >= {Sex.FEMALE, Sex.MALE}


def test_matching_knows_where_they_are(therapists: list[SampleTherapist]) -> None:
    outward_codes = OutwardCodes()
    assert all(outward_codes.locate(one.outward_code) for one in therapists)
