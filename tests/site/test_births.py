"""A date of birth in the future, or longer ago than anybody lives, is asked for again, in words that say why."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from tests.site.conftest import Browser
from web.shared.forms.definition import Kind, Question
from web.shared.forms.field_types import Wrong, read
from web.shared.forms.loader import read_definitions

TODAY = date(2026, 11, 23)
DAY = ("day", "month", "year")
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


@pytest.mark.parametrize("day", [date(2026, 11, 24), date(2062, 3, 1)])
def test_nobody_was_born_in_the_future(day: date) -> None:
    with pytest.raises(Wrong, match="in the future"):
        read(BORN, typed(day), {}, today=TODAY)


@pytest.mark.parametrize("day", [date(1905, 11, 23), date(1900, 1, 1)])
def test_nobody_was_born_too_long_ago_and_how_long_that_is_is_told(day: date) -> None:
    with pytest.raises(Wrong) as caught:
        read(BORN, typed(day), {}, today=TODAY)
    assert str(caught.value) % getattr(str(caught.value), "values", {}) == (
        "Check the year: the date is more than 120 years ago"
    )


def test_a_date_without_limits_may_be_to_come() -> None:
    release = Question(id="born", kind=Kind.DATE, label="When may they be released?")
    assert read(release, typed(date(2031, 3, 1)), {}, today=TODAY) == "2031-03-01"


def test_every_form_that_asks_when_somebody_was_born_sets_these_limits() -> None:
    assert BORN_QUESTIONS
    assert {(one.least, one.most) for one in BORN_QUESTIONS} == {(0, 120)}


def comes_to_the_question(browser: Browser) -> str:
    """Where somebody under 18 is asked when they were born."""
    browser.begin("young_person")
    browser.fill_in(who_writes="self")
    (asked,) = re.findall(r'<a href="(/step/[0-9]+)">More about the person</a>', browser.last.text)
    browser.open(asked)
    assert 'name="date_of_birth-year"' in browser.last.text
    return str(asked)


def test_the_page_says_what_is_wrong_and_goes_on_when_it_is_put_right(browser: Browser) -> None:
    asked = comes_to_the_question(browser)
    born = {"date_of_birth-day": "1", "date_of_birth-month": "3"}
    browser.post(asked, **born, **{"date_of_birth-year": "2062"})
    assert browser.path == asked
    assert "Check the date: it is in the future" in browser.text
    browser.post(asked, **born, **{"date_of_birth-year": "2012"})
    assert browser.path != asked


def test_today_is_london_s_day(browser: Browser) -> None:
    browser.clock.advance(datetime(2026, 6, 30, 23, 30, tzinfo=UTC) - browser.clock.now())
    asked = comes_to_the_question(browser)
    for day, taken in (("2", False), ("1", True)):
        browser.post(asked, **{f"date_of_birth-{part}": it for part, it in zip(DAY, (day, "7", "2026"), strict=True)})
        assert (browser.path != asked) is taken
