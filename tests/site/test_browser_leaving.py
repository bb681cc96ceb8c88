"""Leaving in a hurry, and what happens to whoever stays too long, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.site.barriers import look_for_barriers
from tests.site.running import WORDS, Person
from web.shared.forms.loader import read_definitions

with_and_without_javascript = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
UNTIL_THE_WARNING, UNTIL_THE_END = "25:00", "05:00"


def leaves_by_the_button(page: Page) -> None:
    page.locator(".leave a").click()


def leaves_by_shift(page: Page) -> None:
    for _ in range(3):
        page.keyboard.press("Shift")


@pytest.mark.parametrize(
    ("leaves", "javascript"),
    [(leaves_by_the_button, True), (leaves_by_the_button, False), (leaves_by_shift, True)],
    ids=["button", "button without javascript", "shift"],
)
def test_back_after_leaving_quickly_shows_nothing(
    person: Callable[..., Person], elsewhere: str, leaves: Callable[[Page], None], javascript: bool
) -> None:
    somebody = person(java_script_enabled=javascript)
    page = somebody.page
    page.goto("about:blank")
    writes(somebody)
    page.go_back()
    assert WORDS in page.content()
    leaves(page)
    page.wait_for_url(elsewhere)
    assert [cookie["name"] for cookie in page.context.cookies()] == ["left"]
    for _ in range(10):
        page.go_back()
        if page.url == "about:blank":
            break
        assert "There is nothing to see here" in somebody.says() or "Sunny" in somebody.says()
        assert WORDS not in page.content()
        assert "Leeward" not in somebody.says()
    somebody.open("/again")
    somebody.open("/step/2")
    assert WORDS not in page.content()


CONCERN, AFTER = "/step/11", "/step/12"
"""Where a survivor is asked what we should know, and what comes after."""


def writes(somebody: Person) -> None:
    """Comes to the page after the one that the planted words were written on."""
    somebody.walk_to("survivor", AFTER, more=True)


def expect_warning(page: Page, *, visible: bool) -> None:
    expect(page.locator("#warning")).to_be_visible(visible=visible)


def test_five_minutes_before_the_end_somebody_is_asked_whether_they_are_there(person: Callable[..., Person]) -> None:
    somebody = person()
    page = somebody.page
    page.context.clock.install()
    writes(somebody)
    page.clock.fast_forward("24:59")
    expect_warning(page, visible=False)
    page.clock.fast_forward("00:02")
    expect_warning(page, visible=True)
    assert page.evaluate("document.activeElement.matches('[data-stay]')"), "what is asked has the focus"
    look_for_barriers(page)
    somebody.site.clock.advance(timedelta(minutes=25))
    with page.expect_response("**/stay") as answer:
        page.keyboard.press("Enter")
    assert answer.value.status == 204
    expect_warning(page, visible=False)
    page.clock.fast_forward("24:59")
    expect_warning(page, visible=False)
    somebody.site.clock.advance(timedelta(minutes=25))
    page.go_back()
    assert WORDS in page.content(), "what was written is still there"


def test_whoever_does_not_answer_sees_that_everything_is_erased(person: Callable[..., Person]) -> None:
    somebody = person()
    page = somebody.page
    page.context.clock.install()
    writes(somebody)
    page.clock.fast_forward(UNTIL_THE_WARNING)
    expect_warning(page, visible=True)
    somebody.site.clock.advance(timedelta(minutes=30))
    page.clock.fast_forward(UNTIL_THE_END)
    page.wait_for_url("**/closed")
    assert "Whatever was on it has been erased" in somebody.says()
    look_for_barriers(page)
    somebody.open("/step/2")
    assert somebody.path == "/closed"


def test_no_to_the_question_erases_and_leaves(person: Callable[..., Person], elsewhere: str) -> None:
    somebody = person()
    somebody.page.context.clock.install()
    writes(somebody)
    somebody.page.clock.fast_forward(UNTIL_THE_WARNING)
    somebody.page.locator("#warning a").click()
    somebody.page.wait_for_url(elsewhere)
    somebody.open("/step/2")
    assert "There is nothing to see here" in somebody.says()


def test_esc_says_that_somebody_is_still_there(person: Callable[..., Person]) -> None:
    somebody = person()
    page = somebody.page
    page.context.clock.install()
    writes(somebody)
    page.clock.fast_forward(UNTIL_THE_WARNING)
    expect_warning(page, visible=True)
    somebody.site.clock.advance(timedelta(minutes=25))
    with page.expect_response("**/stay") as answer:
        page.keyboard.press("Escape")
    assert answer.value.status == 204
    expect_warning(page, visible=False)
    somebody.site.clock.advance(timedelta(minutes=10))
    page.go_back()
    assert WORDS in page.content(), "what was written is still there"


@pytest.mark.parametrize("route", read_definitions())
def test_the_way_out_is_in_view_and_the_first_stop_of_the_keyboard(person: Callable[..., Person], route: str) -> None:
    somebody = person(viewport={"width": 390, "height": 600})
    page = somebody.page
    somebody.walk_to(route, "/step/1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('a[data-leave]')")
    page.locator("footer a").last.scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 200
    expect(page.locator(".leave a")).to_be_in_viewport()


def test_presses_of_shift_are_shown_and_fade(person: Callable[..., Person]) -> None:
    somebody = person()
    page = somebody.page
    page.context.clock.install()
    somebody.walk_to("self", "/step/1")
    expect(page.locator(".presses")).to_be_hidden()
    for presses in (1, 2):
        page.keyboard.press("Shift")
        expect(page.locator(".presses .on")).to_have_count(presses)
    expect(page.locator("[data-leave-again]")).to_have_text("Press Shift again to leave")
    look_for_barriers(page)
    page.clock.fast_forward("00:06")
    expect(page.locator(".presses")).to_be_hidden()


@with_and_without_javascript
def test_switching_the_language_keeps_what_was_typed_and_enter_goes_on(
    person: Callable[..., Person], javascript: bool
) -> None:
    somebody = person(java_script_enabled=javascript)
    page = somebody.page
    somebody.walk_to("self", "/step/2")
    page.fill("[name=postcode]", "NP2")
    for language, path in (("cy", "/cy/step/2"), ("en", "/step/2")):
        with page.expect_navigation():
            page.locator(f"header button[value={language}]").click()
        assert (somebody.path, page.input_value("[name=postcode]")) == (path, "NP2")
    page.fill("[name=postcode]", "NP20 4UR")
    with page.expect_navigation():
        page.locator("[name=postcode]").press("Enter")
    assert somebody.path == "/step/4"


@with_and_without_javascript
def test_the_first_page_again_in_this_tab_or_another_loses_nothing(
    person: Callable[..., Person], javascript: bool
) -> None:
    somebody = person(java_script_enabled=javascript)
    writes(somebody)
    for tab in (somebody, somebody.in_another_tab()):
        tab.begin("survivor")
        assert tab.path == "/check"
    other = somebody.in_another_tab()
    other.begin("self")
    assert "You have already begun to write" in other.says()
    if javascript:
        look_for_barriers(other.page)
    other.page.get_by_role("link", name="Go on with what I wrote").click()
    assert other.path == "/check"
    assert WORDS in other.says()
    other.begin("self")
    other.go_on()
    assert other.path == "/leaving"
    somebody.open("/check")
    assert WORDS not in somebody.says()


def test_whoever_goes_on_in_one_tab_is_not_warned_in_another(person: Callable[..., Person]) -> None:
    somebody = person()
    somebody.page.context.clock.install()
    writes(somebody)
    other = somebody.in_another_tab()
    other.open(AFTER)
    for minutes in ("20:00", "20:00"):
        somebody.page.clock.fast_forward(minutes)
        expect_warning(somebody.page, visible=False)
        other.go_on()
    assert somebody.path == AFTER
    somebody.page.clock.fast_forward(UNTIL_THE_WARNING)
    expect_warning(somebody.page, visible=True)


@with_and_without_javascript
def test_what_was_written_is_gone_when_the_time_is_up(person: Callable[..., Person], javascript: bool) -> None:
    """Without JavaScript the page says so beforehand, and any button makes it last anew."""
    somebody = person(java_script_enabled=javascript)
    writes(somebody)
    assert "is erased if you do nothing for 30 minutes" in somebody.says()
    somebody.site.clock.advance(timedelta(minutes=29))
    somebody.go_on()
    somebody.site.clock.advance(timedelta(minutes=29))
    somebody.open(CONCERN)
    assert WORDS in somebody.page.content()
    somebody.site.clock.advance(timedelta(minutes=31))
    somebody.go_on()
    assert somebody.path == "/closed"
    assert "Whatever was on it has been erased" in somebody.says()
    assert somebody.page.context.cookies() == []
    somebody.open("/step/2")
    assert WORDS not in somebody.page.content()
