"""Nothing is lost by a slip, and what a browser keeps from working is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from starlette.testclient import TestClient

from tests.site.conftest import Browser

WORDS = "planted words"


def test_who_begins_another_form_is_asked_and_a_form_from_elsewhere_erases_nothing(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(concern=WORDS)
    browser.client.post("/", data={"route": "survivor", "anew": "1", "csrf": "guessed"})
    assert WORDS in browser.open("/check").text
    assert "Go on with what I wrote" in browser.open("/").text
    browser.post("/", route="survivor")
    assert browser.path == "/"
    assert "You have already begun to write" in browser.text
    browser.post("/")
    assert browser.path == "/leaving"
    assert len(browser.site.sessions) == 1


def test_who_has_written_nothing_yet_chooses_again_without_being_asked(browser: Browser) -> None:
    browser.begin()
    assert browser.begin("family").url.path == "/step/1"


@pytest.mark.parametrize("prefix", ["", "/cy"], ids=["english", "welsh"])
def test_a_browser_that_blocks_cookies_is_told_so(browser: Browser, prefix: str) -> None:
    began = TestClient(browser.client.app, follow_redirects=False).post(f"{prefix}/", data={"route": "self"})
    answer = TestClient(browser.client.app).get(began.headers["Location"])
    assert answer.url.path == f"{prefix}/leaving"
    told = "Your browser blocks cookies" if not prefix else "Mae eich porwr yn rhwystro cwcis"
    assert told in answer.text


def test_what_is_typed_with_a_mistake_in_it_survives_a_switch_and_is_found_there(browser: Browser) -> None:
    browser.begin()
    browser.post(browser.path, confidentiality_understood="yes")
    browser.post(browser.path, postcode="nowhere", language="cy")
    assert browser.path == "/cy/step/2"
    assert 'value="nowhere"' in browser.last.text
    assert browser.post(browser.path, postcode="nowhere").status_code == 422


def test_a_choice_that_may_be_left_out_can_be_taken_back(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(therapist_sex="female")
    change = browser.last.text.partition("#therapist_sex")[0].rpartition('href="')[2]
    browser.open(change)
    assert "No preference" in browser.text
    browser.post(browser.path, therapist_sex="")
    assert browser.path == "/check"
    browser.post("/check")
    assert browser.submissions()[0].therapist_sex is None


def test_a_change_of_what_can_wait_asks_only_what_follows_from_it(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(can_pay="any")
    change = browser.last.text.partition("#can_pay")[0].rpartition('href="')[2]
    browser.open(change)
    browser.post(browser.path, can_pay="up_to")
    assert 'name="fee_ceiling"' in browser.last.text
    browser.post(browser.path, fee_ceiling="20")
    assert browser.path == "/check"
    browser.post("/check")
    assert browser.submissions()[0].fee_ceiling_pence == 20_00


def test_what_is_told_so_far_is_kept_when_somebody_goes_to_send(browser: Browser) -> None:
    browser.begin("survivor")
    browser.fill_in()
    browser.open(str(browser.topic()))
    browser.post(browser.path, concern=WORDS, then="check")
    assert browser.path == "/check"
    assert WORDS in browser.text
    browser.post("/check")
    assert browser.submissions()[0].concern == WORDS


FAMILY = {"relationship": "partner", "adult": "yes", "help_wanted": "family_course", "self_verification": "yes"}


@pytest.mark.parametrize(
    ("settings", "told", "not_told"),
    [
        ({"course_price": "£90", "course_dates": (date(2026, 1, 8), date(2027, 1, 14))},
         ["What it costs: £90.", "14 January 2027"], ["8 January 2026", "somebody gets in touch with you and tells"]),
        ({}, ["somebody gets in touch with you and tells you the price and the next dates"], ["What it costs:"]),
    ],
)  # fmt: skip
def test_a_family_that_wants_the_course_is_told_price_and_dates_or_that_somebody_gets_in_touch(
    browse: Callable[..., Browser], settings: dict[str, object], told: list[str], not_told: list[str]
) -> None:
    browser = browse(**settings)
    browser.begin("family")
    browser.fill_in(**FAMILY)
    browser.post("/check")
    assert [words for words in told if words not in browser.text] == []
    assert [words for words in not_told if words in browser.text] == []
    assert "we do not look for a therapist instead" in browser.text


def test_it_is_said_before_a_search_what_refusing_to_pass_details_on_means_and_again_after(browser: Browser) -> None:
    browser.begin()
    while 'name="consent_therapist"' not in browser.last.text:
        given = {"confidentiality_understood": "yes", "postcode": "NP20", "contact_way": "i_call"}
        browser.post(browser.path, **given)
        assert browser.last.status_code == 200
    assert "we look for no therapist until one of us has talked with you" in browser.text
    browser.fill_in()
    browser.post("/check")
    assert "We look for no therapist until somebody has talked about it with you" in browser.text


def test_a_letter_into_a_prison_has_all_that_the_form_asks_for_its_address(browser: Browser) -> None:
    """The prison's name and postcode are questions of their own, so the address often lacks them."""
    browser.begin("in_prison")
    given = {"prison_name": "HMP Invented", "prison_number": "A0000AA", "name": "Robin", "who_writes": "self"}
    browser.fill_in(**given, prison_address="1 Example Road\nUsk", postcode="NP15 1XP")
    browser.post("/check")
    (sent,) = browser.submissions()
    assert sent.contact
    assert sent.contact.address == "HMP Invented\n1 Example Road\nUsk\nNP15 1XP"
