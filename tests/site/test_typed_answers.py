"""What is typed on a page is read as it was meant, or asked again: what is wrong is said, and what the limit is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.site.conftest import Browser


def go_to_page_with(browser: Browser, field: str, route: str = "self", **given: Any) -> None:
    """Fills in what is needed until a page asks for this."""
    browser.begin(route)
    needed = {
        "confidentiality_understood": "yes",
        "consent_processing": "yes",
        "postcode": "NP20 4UR",
        "contact_way": "i_call",
        "passphrase": "harbour lantern quiet",
    } | given
    for _ in range(60):
        if f'name="{field}' in browser.last.text:
            return
        if browser.path == "/check":
            more = browser.topic()
            assert more, f"nothing asks for {field}"
            browser.open(more)
            continue
        names = set(re.findall(r'name="([a-z_-]+)"', browser.last.text))
        browser.post(browser.path, **{name: value for name, value in needed.items() if name in names})
        assert browser.last.status_code == 200, browser.text
    raise AssertionError(f"nothing asks for {field}")


def sent(browser: Browser, **given: Any) -> Any:
    browser.begin()
    browser.fill_in(**given)
    browser.post("/check")
    (submission,) = browser.submissions()
    return submission


def asked_again(browser: Browser, **typed: str) -> str:
    before = browser.path
    answer = browser.post(before, **typed)
    assert (answer.status_code, browser.path) == (422, before)
    return browser.text


def test_pence_after_a_comma_are_no_thousands_of_pounds(browser: Browser) -> None:
    go_to_page_with(browser, "fee_ceiling", can_pay="up_to", subsidy_requested="yes")
    assert "Write pence after a full stop, like 25.50" in asked_again(browser, fee_ceiling="25,50")
    assert "Enter at most £99,999.99" in asked_again(browser, fee_ceiling="100000")


def test_what_can_be_paid_is_sent_in_pence(browser: Browser) -> None:
    assert sent(browser, can_pay="up_to", fee_ceiling="£25.50").fee_ceiling_pence == 25_50


def test_miles_are_no_kilometres(browser: Browser) -> None:
    assert sent(browser, sessions="either", distance_miles="10").max_distance_km == 16.09


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("+44 (0)7700 900123", "+447700900123"), ("07700 900123", "+447700900123"),
     ("01632 960001 x23", "+441632960001;ext=23"), ("+33 6 12 34 56 78", "+33612345678")],
)  # fmt: skip
def test_a_number_is_sent_in_the_international_form(browser: Browser, typed: str, kept: str) -> None:
    given = {"contact_way": "call", "telephone": typed, "hours": "any", "may_leave_message": "no", "say_who": "no"}
    assert sent(browser, **given).contact.telephone == kept


def test_a_landline_is_not_taken_for_text_messages(browser: Browser) -> None:
    go_to_page_with(browser, "telephone", contact_way="text")
    assert "a text message can’t reach this one" in asked_again(browser, telephone="01632 960001")
    browser.post(browser.path, telephone="07700 900123", hours="any", say_who="no")
    assert browser.last.status_code == 200


def test_whoever_would_rather_be_texted_is_asked_for_another_number_than_a_landline(browser: Browser) -> None:
    browser.begin()
    given = {"contact_way": "call", "telephone": "01632 960001", "hours": "any", "may_leave_message": "no",
             "say_who": "no"}  # fmt: skip
    browser.fill_in(**given)
    browser.post(f"/step/{step_of(browser, 'contact_way')}", contact_way="text", change="1")
    assert 'name="telephone"' in browser.last.text
    assert 'value="01632 960001"' in browser.last.text


def step_of(browser: Browser, field: str) -> int:
    for number in range(1, 60):
        if f'name="{field}"' in browser.open(f"/step/{number}").text:
            return number
    raise AssertionError(field)


@pytest.mark.parametrize(
    ("typed", "kept"), [("BFPO 61", "BFPO 61"), ("no fixed abode", "ZZ99 3VZ"), ("np204ur", "NP20 4UR")]
)
def test_a_place_that_intake_takes_is_taken(browser: Browser, typed: str, kept: str) -> None:
    assert sent(browser, postcode=typed).postcode == kept


def test_no_fixed_abode_is_shown_in_words(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(postcode="no fixed abode")
    assert "I have no address, or cannot give a postcode" in browser.text
    assert "ZZ99" not in browser.text


def test_a_slip_on_the_keyboard_is_no_other_town(browser: Browser) -> None:
    go_to_page_with(browser, "postcode")
    assert "in letters and digits only" in asked_again(browser, postcode="NP2) 4UR")


def test_an_address_of_other_letters_is_sent_as_mail_servers_know_it(browser: Browser) -> None:
    given = {"contact_way": "email", "email": "robin@exämple.org", "hours": "any", "say_who": "no"}
    assert sent(browser, **given).contact.email == "robin@xn--exmple-cua.org"


def test_the_part_of_a_date_that_is_wrong_is_told_in_the_visitor_s_language(browser: Browser) -> None:
    go_to_page_with(browser, "release_on-year", route="in_prison", who_writes="self", prison_name="HMP Example",
                    prison_address="1 Example Street")  # fmt: skip
    day = {"release_on-day": "31", "release_on-month": "June", "release_on-year": "2027"}
    assert "Check the day: June 2027 has 30 days" in asked_again(browser, **day)
    assert "Check the month: it is a number from 1 to 12" in asked_again(browser, **day | {"release_on-month": "13"})
    assert "Check the year: write all four digits" in asked_again(browser, **day | {"release_on-year": "27"})
    browser.open(f"/cy{browser.path}")
    browser.post(browser.path, **day)
    assert "Mehefin 2027" in browser.text


def test_a_month_may_be_named(browser: Browser) -> None:
    go_to_page_with(browser, "release_on-year", route="in_prison", who_writes="self", prison_name="HMP Example",
                    prison_address="1 Example Street")  # fmt: skip
    asked = browser.path
    browser.post(asked, **{"release_on-day": "1", "release_on-month": "Mawrth", "release_on-year": "2027"})
    assert browser.path != asked


def test_an_age_that_contradicts_the_year_of_birth_is_told_once(browser: Browser) -> None:
    writer = {"profession": "gp", "writer_name": "Sam Example", "writer_contact_way": "call",
              "writer_telephone": "01632 960124", "writer_hours": "any", "writer_may_leave_message": "no",
              "writer_say_who": "no", "client_group": "at_risk", "client_agrees": "no", "age": "17"}  # fmt: skip
    go_to_page_with(browser, "date_of_birth-year", route="professional", **writer)
    born = {"date_of_birth-day": "27", "date_of_birth-month": "3", "date_of_birth-year": "1985"}
    text = asked_again(browser, **born)
    assert text.count("nobody born in 1985 is 17 now") == 2  # in the summary and at the date
    browser.post(browser.path, **born | {"date_of_birth-year": "2009"})
    assert browser.last.status_code == 200


def test_a_limit_is_told_with_a_count(browser: Browser) -> None:
    go_to_page_with(browser, "concern")
    text = asked_again(browser, concern="x" * 2_003)
    assert "it has 2003 characters, and at most 2000 can be sent" in text
