"""Every route in a real browser, on a real broker: all the way, by everybody."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.sealed import SafeChannel
from tests.site.barriers import look_for_barriers, what_it_says
from tests.site.running import CHOSEN, PASSPHRASE, TYPED, WORDS, Inbox, Person
from web.shared.forms.loader import read_definitions

ROUTES = list(read_definitions())
each_route = pytest.mark.parametrize("route", ROUTES)


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """Which pages were looked at for barriers already, by what they say: the routes share many of them."""
    return set()


@pytest.mark.parametrize(("javascript", "more"), [(True, True), (False, False)], ids=["all told", "short, plain"])
@each_route
def test_a_request_goes_all_the_way(
    person: Callable[..., Person], inbox: Inbox, seen: set[str], route: str, javascript: bool, more: bool
) -> None:
    """Every page of it is without barriers: axe needs JavaScript, and finds the same without."""
    somebody = person(java_script_enabled=javascript)
    for _ in somebody.walk(route, more=more):
        said = what_it_says(somebody.page)
        if javascript and said not in seen:
            seen.add(said)
            look_for_barriers(somebody.page)
    assert somebody.path == "/done"
    (sent,) = inbox.take()
    assert (sent.definition, sent.definition_version) == (route, 3)
    assert (sent.postcode, sent.passphrase, sent.concern) == ("NP20 4UR", PASSPHRASE, WORDS if more else None)
    assert (sent.wheelchair_access, sent.therapy_language) == ((True, "cy") if more else (None, None))
    assert sent.max_distance_km == (16.09 if more else None)
    assert sent.contact.channel is (SafeChannel.POST if route == "in_prison" else SafeChannel.TELEPHONE)
    assert somebody.page.locator(".reference").inner_text().count("-") == 2
    assert WORDS not in somebody.site.log.read_text()


def test_a_welsh_form_has_no_barriers_either(person: Callable[..., Person], inbox: Inbox) -> None:
    somebody = person()
    for _ in somebody.walk("family", "/cy", more=True):
        look_for_barriers(somebody.page)
    assert inbox.take()[0].language == "cy"


@each_route
def test_what_was_left_out_is_asked_for_without_barriers(
    person: Callable[..., Person], seen: set[str], route: str
) -> None:
    """On every page that must be answered; the error takes the focus and leads to its field."""
    somebody = person()
    page = somebody.page
    somebody.begin(route)
    somebody.go_on()
    while somebody.path != "/check":
        before = somebody.path
        somebody.go_on()
        if somebody.path != before:
            continue
        assert page.title().startswith("Error: ")
        assert page.evaluate("document.activeElement.matches('[data-errors]')")
        said = what_it_says(page)
        if said not in seen:
            seen.add(said)
            look_for_barriers(page)
        link = page.locator("[data-errors] a").first
        field = str(link.get_attribute("href")).removeprefix("#")
        link.click()
        assert page.evaluate("document.activeElement.id") == field
        somebody.answer()
        somebody.go_on()
        assert somebody.path != before


@each_route
def test_the_whole_form_is_filled_in_by_keyboard_alone(person: Callable[..., Person], inbox: Inbox, route: str) -> None:
    somebody = person()
    page = somebody.page

    def press_on_to(wanted: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name || document.activeElement.tagName") == wanted:
                return
        raise AssertionError(f"the Tab key never reaches {wanted} on {page.url}")

    def choose(name: str, value: str) -> None:
        press_on_to(name)
        if value and page.evaluate("document.activeElement.type") == "radio":
            page.keyboard.press("Space")
            while page.evaluate("document.activeElement.value") != value:
                page.keyboard.press("ArrowDown")
        else:
            page.keyboard.press("Space")

    somebody.open("/")
    choose("route", route)
    for _ in range(60):
        asked = page.eval_on_selector_all("main form [name]:not([type=hidden])", "all => all.map((one) => one.name)")
        for name in dict.fromkeys(asked):
            if name in TYPED:
                press_on_to(name)
                page.keyboard.type(TYPED[name])
            elif name in CHOSEN:
                choose(name, CHOSEN[name])
        press_on_to("BUTTON")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if somebody.path == "/done":
            break
    (sent,) = inbox.take()
    assert (sent.definition, sent.postcode) == (route, "NP20 4UR")
    assert sent.contact.channel is (SafeChannel.POST if route == "in_prison" else SafeChannel.TELEPHONE)


@dataclass(frozen=True)
class Picture:
    name: str
    route: str
    path: str
    width: int


DOCS = Path(__file__).parent.parent.parent / "docs"
PICTURES = (Picture("site-first-question", "self", "/step/1", 900), Picture("site-contact", "family", "/step/4", 420))


def test_nothing_is_loaded_from_anybody_else(person: Callable[..., Person]) -> None:
    somebody = person()
    asked: list[str] = []
    complaints: list[str] = []
    somebody.page.on("request", lambda request: asked.append(request.url))
    somebody.page.on("console", lambda message: complaints.append(message.text))
    somebody.walk_to("self", "/step/4")
    assert {url for url in asked if not url.startswith(somebody.site.address)} == set()
    assert complaints == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_the_pictures_in_the_readme_show_what_the_site_says(person: Callable[..., Person], picture: Picture) -> None:
    """`LEEWARD_PICTURES=1` takes them anew. What a picture shows stands beside it as text."""
    somebody = person(viewport={"width": picture.width, "height": 900})
    somebody.walk_to(picture.route, picture.path)
    shown = somebody.page.inner_text("body")
    if os.environ.get("LEEWARD_PICTURES"):
        somebody.page.screenshot(path=DOCS / f"{picture.name}.png", full_page=True)
        (DOCS / f"{picture.name}.txt").write_text(shown + "\n")
    assert (DOCS / f"{picture.name}.txt").read_text().rstrip() == shown.rstrip()
    assert f"docs/{picture.name}.png" in (DOCS.parent / "README.md").read_text()
    assert (DOCS / f"{picture.name}.png").is_file()
