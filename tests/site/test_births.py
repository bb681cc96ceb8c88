"""A date of birth in the future, or longer ago than anybody lives, is asked for again, in words that say why."""

from __future__ import annotations

from datetime import date

import pytest

from tests.site.conftest import Browser
from web.site.forms.definition import Kind, Question
from web.site.forms.kinds import Wrong, read
from web.site.forms.reading import read_definitions

TODAY = date(2026, 11, 23)
BORN = Question(id="born", kind=Kind.DATE, label="When were you born?", least=0, most=120)
BORN_QUESTIONS = [
    question
    for definition in read_definitions().values()
    for question in definition.questions()
    if question.fills == "date_of_birth"
]


def typed(day: date) -> dict[str, list[str]]:
    return {f"born-{part}": [str(getattr(day, part))] for part in ("day", "month", "year")}


@pytest.mark.parametrize("day", [TODAY, date(2008, 2, 29), date(1906, 11, 23), date(1905, 11, 24)])
def test_whoever_may_be_alive_was_born_on_a_day_that_is_taken(day: date) -> None:
    assert read(BORN, typed(day), {}, today=TODAY) == day.isoformat()


@pytest.mark.parametrize("day", [date(2026, 11, 24), date(2062, 3, 1), date(1905, 11, 23), date(1900, 1, 1)])
def test_nobody_was_born_in_the_future_or_too_long_ago(day: date) -> None:
    with pytest.raises(Wrong, match="in the future, or too long ago"):
        read(BORN, typed(day), {}, today=TODAY)


def test_a_date_without_limits_may_be_to_come() -> None:
    release = Question(id="born", kind=Kind.DATE, label="When may they be released?")
    assert read(release, typed(date(2031, 3, 1)), {}, today=TODAY) == "2031-03-01"


def test_every_form_that_asks_when_somebody_was_born_sets_these_limits() -> None:
    assert BORN_QUESTIONS
    assert {(one.least, one.most) for one in BORN_QUESTIONS} == {(0, 120)}


def test_the_page_says_what_is_wrong_and_goes_on_when_it_is_put_right(browser: Browser) -> None:
    browser.begin("young_person")
    given = {"confidentiality_understood": "yes", "who_writes": "self", "contact_way": "i_call", "postcode": "NP20"}
    while 'name="date_of_birth-year"' not in browser.last.text:
        before = browser.path
        browser.post(browser.path, **given)
        assert browser.path != before, browser.text
    asked = browser.path
    born = {"date_of_birth-day": "1", "date_of_birth-month": "3"}
    browser.post(asked, **born, **{"date_of_birth-year": "2062"})
    assert browser.path == asked
    assert "Please check this date: it is in the future, or too long ago" in browser.text
    browser.post(asked, **born, **{"date_of_birth-year": "2012"})
    assert browser.path != asked
