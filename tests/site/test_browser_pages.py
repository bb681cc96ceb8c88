"""Every page that is not a step of a form, in a real browser: none has a barrier, or has to be scrolled sideways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.commands.intake import StatusAnswer
from tests.site.barriers import look_for_barriers
from tests.site.running import PASSPHRASE, Person
from web.site.pages.standing import SAID_BY_INTAKE
from web.site.rendering import FOLDER, Renderer
from web.site.settings import SiteSettings

in_both_languages = pytest.mark.parametrize("prefix", ["", "/cy"], ids=["english", "welsh"])
OPENED = {
    "/": "start", "/request": "status", "/withdraw": "withdraw", "/safety": "safety", "/privacy": "privacy",
    "/accessibility": "accessibility", "/nowhere": "not_found", "/closed": "closed",
}  # fmt: skip
STANDINGS = {
    "standing, can't look": {"answer": None},
    "standing, not recognised": {"answer": StatusAnswer(recognised=False)},
    **{
        f"standing, {number}": {"answer": StatusAnswer(recognised=True, standing="any", words=words)}
        for number, words in enumerate(SAID_BY_INTAKE)
    },
}
RENDERED: dict[str, dict[str, Any]] = {
    **STANDINGS, "too_often": {}, "too_large": {}, "broken": {}, "full": {}, "withdrawn": {},
}  # fmt: skip
"""Pages that are hard to come to, as the site makes them of these values."""

PARTS = {"base", "macros"}
OF_A_FORM = {"leaving", "step", "check", "done"}
"""Looked at on the way through each form, in `test_browser.py`."""


@pytest.mark.parametrize("path", OPENED)
@in_both_languages
def test_no_page_has_a_barrier(person: Callable[..., Person], prefix: str, path: str) -> None:
    somebody = person()
    somebody.open(prefix + path)
    look_for_barriers(somebody.page)


@in_both_languages
def test_no_page_that_is_seldom_seen_has_a_barrier(
    person: Callable[..., Person], site_settings: SiteSettings, prefix: str
) -> None:
    somebody, renderer, language = person(), Renderer(site_settings), prefix.removeprefix("/") or "en"
    html = ""
    somebody.page.route("**/rendered", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    for name, values in RENDERED.items():
        html = renderer.page(f"{name.partition(',')[0]}.html", language=language, path="/", nonce="-", **values)
        somebody.open("/rendered")
        assert somebody.page.locator("h1").inner_text() in html
        look_for_barriers(somebody.page)


def test_every_page_is_looked_at() -> None:
    templates = {path.stem for path in (FOLDER / "templates").glob("*.html")}
    looked_at = {name.partition(",")[0] for name in (*OPENED.values(), *RENDERED)}
    assert templates - PARTS - OF_A_FORM == looked_at


@pytest.mark.parametrize("path", ["/request", "/withdraw"])
def test_a_slip_in_the_reference_is_shown_without_barriers(person: Callable[..., Person], path: str) -> None:
    somebody = person()
    somebody.open(path)
    somebody.page.fill("#reference", "9C28-SAU2-6")
    somebody.go_on()
    assert somebody.page.title().startswith("Error: ")
    look_for_barriers(somebody.page)


def test_nobody_starts_without_saying_who_it_is_for(person: Callable[..., Person]) -> None:
    somebody = person()
    somebody.open("/")
    somebody.go_on()
    assert somebody.page.title().startswith("Error: ")
    look_for_barriers(somebody.page)


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
def test_a_request_is_taken_back(person: Callable[..., Person], javascript: bool) -> None:
    somebody = person(java_script_enabled=javascript)
    somebody.open("/withdraw")
    somebody.page.fill("#reference", " 9c28 sau2 5")
    somebody.page.fill("#passphrase", PASSPHRASE)
    somebody.go_on()
    assert "Thank you for telling us" in somebody.says()
