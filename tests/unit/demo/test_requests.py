"""The sample requests: their shares, that they can be repeated, and that they are about nobody."""

import json
import re
from collections import Counter
from collections.abc import Callable
from math import sqrt

import pytest

from contracts.sealed import HelpSubmission, LegalSituation, SafeChannel
from contracts.vocabulary import ClientGroup, Known, Route, Sex, Work
from leeward.demo.people import WORDS
from leeward.demo.places import GWENT, all_places
from leeward.demo.requests import FIGURES, GROUPS, PUBLISHED, sample_requests
from services.intake.gateways.postcodes import Place, Postcodes

COUNT = 5_000
DRAMA = re.compile(r"\+44(7700900\d{3}|1632960\d{3}|2079460\d{3}|2920180\d{3})")
ADDRESS = re.compile(r"\d+ Example (Street|Road|Close|Terrace)|Prisoner number X\d{4}XX, HMP Example")

Test = Callable[[HelpSubmission], bool]


@pytest.fixture(scope="module")
def requests() -> list[HelpSubmission]:
    return list(sample_requests(COUNT, seed=1))


@pytest.fixture(scope="module")
def places(requests: list[HelpSubmission]) -> list[Place]:
    postcodes = Postcodes()
    return [postcodes.resolve(request.postcode) for request in requests]


def assert_share(happened: int, of: int, expected: float) -> None:
    """Within four standard errors of a binomial share."""
    assert of > 0
    assert abs(happened / of - expected) <= 4 * sqrt(expected * (1 - expected) / of), (happened / of, expected)


@pytest.mark.parametrize(
    ("figure", "among", "occurs"),
    [
        ("male", lambda one: one.sex is not None, lambda one: one.sex is Sex.MALE),
        ("refers_self", lambda one: True, lambda one: one.route is Route.SELF),
        ("never_known_to_authorities", lambda one: True, lambda one: one.known_to_authorities is Known.NO),
        ("gives_outward_code_only", lambda one: True, lambda one: " " not in one.postcode),
        ("identifiable_person_at_risk", lambda one: True, lambda one: one.identifiable_person_at_risk),
        ("reached_by_email", lambda one: True, lambda one: one.contact.channel is SafeChannel.EMAIL),
        ("discreet", lambda one: True, lambda one: one.contact.discreet),
        ("wheelchair_access", lambda one: True, lambda one: one.wheelchair_access),
        ("evaluation", lambda one: True, lambda one: one.consents.evaluation),
        ("research", lambda one: True, lambda one: one.consents.research),
        ("couple_work", lambda one: one.client_group is ClientGroup.FAMILY, lambda one: one.work is Work.COUPLE),
        (
            "survivor_prefers_therapist_sex",
            lambda one: one.client_group is ClientGroup.SURVIVOR,
            lambda one: one.therapist_sex is not None,
        ),
    ],
)
def test_what_occurs_occurs_as_often_as_the_table_says(
    requests: list[HelpSubmission], figure: str, among: Test, occurs: Test
) -> None:
    asked = [one for one in requests if among(one)]
    assert_share(sum(map(occurs, asked)), len(asked), FIGURES[figure].share)


def test_the_published_figures_are_those_of_the_charity() -> None:
    published = {name: figure.share for name, figure in FIGURES.items() if figure.source == PUBLISHED}
    assert published == {"male": 0.90, "refers_self": 0.89, "never_known_to_authorities": 0.36}


@pytest.mark.parametrize(
    ("figure", "field"),
    [("male", "male"), ("refers_self", "refers_self"), ("never_known_to_authorities", "never_known")],
)
def test_the_client_groups_add_up_to_the_published_figures(figure: str, field: str) -> None:
    assert sum(group.share for group in GROUPS.values()) == pytest.approx(1)
    total = sum(group.share * getattr(group, field) for group in GROUPS.values())
    assert total == pytest.approx(FIGURES[figure].share, abs=0.002)


def test_every_client_group_comes_as_often_as_the_table_says(requests: list[HelpSubmission]) -> None:
    counted = Counter(request.client_group for request in requests)
    for group in ClientGroup:
        assert_share(counted[group], COUNT, GROUPS[group].share)


def test_gwent_is_raised_and_asks_for_subsidies_more_often(requests: list[HelpSubmission]) -> None:
    gwent = {place.outward_code for place in all_places() if place.local_authority in GWENT}
    gwent -= {place.outward_code for place in all_places() if place.local_authority not in GWENT}
    here = [one for one in requests if one.postcode.split()[0] in gwent]
    there = [one for one in requests if one.postcode.split()[0] not in gwent]
    assert 0.06 < len(here) / COUNT < 0.08  # without the outward codes that lie only partly in Gwent
    assert_share(sum(one.subsidy_requested for one in here), len(here), FIGURES["asks_for_subsidy_in_gwent"].share)
    assert sum(one.subsidy_requested for one in there) / len(there) == pytest.approx(0.15, abs=0.03)


def test_gwents_share_of_full_postcodes_is_the_tables(requests: list[HelpSubmission], places: list[Place]) -> None:
    full = [place for request, place in zip(requests, places, strict=True) if " " in request.postcode]
    in_gwent = [place for place in full if place.police_force_area == "gwent"]
    assert_share(len(in_gwent), len(full), FIGURES["lives_in_gwent"].share)


def test_intake_knows_the_areas_of_every_full_postcode_and_of_no_other(
    requests: list[HelpSubmission], places: list[Place]
) -> None:
    for request, place in zip(requests, places, strict=True):
        assert place.outward_code == request.postcode.split()[0]
        full = " " in request.postcode
        assert (place.local_authority is not None) is full
        assert (place.police_force_area is not None) is full


def test_the_same_seed_draws_the_same_requests_and_another_one_others() -> None:
    assert list(sample_requests(50, seed=3)) == list(sample_requests(50, seed=3))
    assert list(sample_requests(50, seed=3)) != list(sample_requests(50, seed=4))


def test_fewer_requests_are_the_beginning_of_more() -> None:
    assert list(sample_requests(20, seed=3)) == list(sample_requests(60, seed=3))[:20]


def test_every_request_fits_its_shape(requests: list[HelpSubmission]) -> None:
    for request in requests:
        assert HelpSubmission.from_json(json.loads(request.encode())) == request


def test_nobody_can_be_reached(requests: list[HelpSubmission]) -> None:
    emails = [one.contact.email for one in requests if one.contact.email is not None]
    assert all(email.endswith("@example.org") for email in emails)
    assert len(emails) == len(set(emails))
    assert all(DRAMA.fullmatch(one.contact.telephone) for one in requests if one.contact.telephone is not None)
    assert all(ADDRESS.fullmatch(one.contact.address) for one in requests if one.contact.address is not None)


def test_everybody_gives_what_their_safe_channel_needs_and_no_more(requests: list[HelpSubmission]) -> None:
    for contact in (request.contact for request in requests):
        given = (contact.email is not None, contact.telephone is not None, contact.address is not None)
        by_telephone = contact.channel in (SafeChannel.TELEPHONE, SafeChannel.TEXT)
        assert given == (contact.channel is SafeChannel.EMAIL, by_telephone, contact.channel is SafeChannel.POST)


def test_every_safe_channel_occurs(requests: list[HelpSubmission]) -> None:
    assert {request.contact.channel for request in requests} == set(SafeChannel)


def test_everybody_agrees_to_what_a_request_needs(requests: list[HelpSubmission]) -> None:
    for consents in (request.consents for request in requests):
        assert consents.processing
        assert consents.confidentiality_understood
        assert consents.pass_to_therapist


def test_young_people_are_under_18_and_come_through_somebody(requests: list[HelpSubmission]) -> None:
    for request in requests:
        young = request.client_group is ClientGroup.YOUNG_PERSON
        assert (request.age is not None and request.age < 18) is young
        if young:
            assert request.route in (Route.GUARDIAN, Route.SOCIAL_SERVICES)
            assert request.age is not None
            assert request.age >= 5


def test_most_adults_are_between_25_and_64(requests: list[HelpSubmission]) -> None:
    ages = [one.age for one in requests if one.age is not None and one.client_group is not ClientGroup.YOUNG_PERSON]
    assert_share(sum(25 <= age <= 64 for age in ages), len(ages), 0.85)


def test_whoever_is_in_prison_is_written_to_and_known(requests: list[HelpSubmission]) -> None:
    for request in requests:
        in_prison = request.client_group is ClientGroup.IN_PRISON
        assert (request.legal_situation is LegalSituation.IN_CUSTODY) is in_prison
        if in_prison:
            assert request.contact.channel is SafeChannel.POST
            assert request.known_to_authorities is Known.YES


def test_whoever_the_authorities_do_not_know_is_under_no_proceedings(requests: list[HelpSubmission]) -> None:
    unknown = [request for request in requests if request.known_to_authorities is Known.NO]
    assert {request.legal_situation for request in unknown} == {LegalSituation.NONE}


def test_whoever_asks_for_a_subsidy_says_what_they_can_pay(requests: list[HelpSubmission]) -> None:
    ceilings = {request.fee_ceiling_pence for request in requests if request.subsidy_requested}
    assert ceilings == {pounds * 100 for pounds in range(0, 61, 5)}


def test_distances_and_languages_vary(requests: list[HelpSubmission]) -> None:
    assert {request.max_distance_km for request in requests} == {10, 15, 20, 25, 30, 40, 50, 60}
    languages = Counter(request.language for request in requests)
    assert set(languages) == {"en", "cy", "pl", "ur", "pa", "ro", "bn"}
    assert languages["en"] / COUNT > 0.9


def test_welsh_is_asked_for_only_in_wales(requests: list[HelpSubmission]) -> None:
    in_wales = {place.outward_code for place in all_places() if place.is_in_wales}
    assert all(one.postcode.split()[0] in in_wales for one in requests if one.language == "cy")


def test_a_passphrase_is_four_common_words(requests: list[HelpSubmission]) -> None:
    for words in (request.passphrase.split(" ") for request in requests):
        assert len(words) == 4
        assert set(words) <= set(WORDS)
    assert len({request.passphrase for request in requests}) > COUNT * 0.999


def test_the_word_list_is_long_enough_and_repeats_nothing() -> None:
    assert len(WORDS) == len(set(WORDS)) > 200
    assert all(re.fullmatch(r"[a-z]{3,8}", word) for word in WORDS)
