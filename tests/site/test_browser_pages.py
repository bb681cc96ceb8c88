"""Every page that is not a step of a form, in a real browser: none has a barrier, or has to be scrolled sideways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.commands.intake import StatusAnswer
from contracts.commands.notifications import AlertPage, ClientPage
from contracts.vocabulary import ClientStep, ContactChangeState, LinkState
from tests.site.barriers import look_for_barriers
from tests.site.conftest import AT
from tests.site.running import PASSPHRASE, Person
from web.site.pages.errors import BROKEN, SAID, UNREADABLE
from web.site.pages.request_contact import QUESTIONS
from web.site.pages.request_status import SAID_BY_INTAKE
from web.site.rendering import FOLDER, Renderer
from web.site.settings import SiteSettings

in_both_languages = pytest.mark.parametrize("prefix", ["", "/cy"], ids=["english", "welsh"])
OPENED = {
    "/": "start", "/request": "status", "/withdraw": "withdraw", "/safety": "safety", "/privacy": "privacy",
    "/accessibility": "accessibility", "/nowhere": "error", "/closed": "left",
}  # fmt: skip
STANDINGS = {
    "standing, can't look": {"answer": None, "wait": 0, "back": "/request"},
    "standing, not recognised": {"answer": StatusAnswer(recognised=False), "wait": 0, "back": "/withdraw"},
    "standing, locked": {"answer": StatusAnswer(recognised=False), "wait": 15, "back": "/withdraw"},
    **{
        f"standing, {number}": {
            "answer": StatusAnswer(recognised=True, standing="any", words=words, next_words=words, since=AT, by=AT),
            "wait": 0, "back": "/request", "may": set(), "change": None, "done": "", "came": "",
        }
        for number, words in enumerate(SAID_BY_INTAKE)
    },
    **{
        f"standing, {done} {came}": {
            "answer": StatusAnswer(recognised=True, standing="any", words=SAID_BY_INTAKE[0]),
            "wait": 0, "back": "/request", "may": {step.value for step in ClientStep}, "change": "code_sent",
            "done": done, "came": came,
        }
        for done, came in (
            ("ask_for_another", ""), ("agree_to_pass_on", ""),
            *(("change_contact", state.value) for state in ContactChangeState),
        )
    },
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    **{f"request_confirm, {step.value}": {"step": step.value, "handle": "-"} for step in ClientStep},
    **{
        f"request_code, {problems}": {"problems": problems, "handle": "-"}
        for problems in ({}, {"code": "Type the six digits"})
    },
    **{
        f"request_contact, {question.name} {wrong}": {
            "question": question, "value": "", "problems": {question.name: "Choose"} if wrong else {},
            "action": "/request/contact", "back": "/request/standing", "handle": "-",
        }
        for question in QUESTIONS
        for wrong in (True, False)
    },
}  # fmt: skip
ERRORS = {
    f"error, {heading}": {"heading": heading, "words": words, "goes_back": goes_back}
    for heading, words in (*SAID.values(), UNREADABLE, BROKEN)
    for goes_back in (True, False)
}
LINKS: dict[str, dict[str, Any]] = {
    "link_closed": {},
    "link_away": {},
    "link_unknown": {},
    "link_other": {},
    **{f"link_have_it, {client}": {"is_client": client} for client in (True, False)},
    **{
        f"form_stands, {state} {client} {late}": {"state": state, "is_client": client, "late": late}
        for state in ("open", "answered", "expired", "withdrawn")
        for client in (True, False)
        for late in (True, False)
    },
    **{
        f"offer_stands, {state} {accepted} {late}": {"state": state, "accepted": accepted, "late": late}
        for state in ("answered", "expired", "withdrawn")
        for accepted in (True, False)
        for late in (True, False)
    },
    **{f"client_stands, {state}": {"state": state} for state in ("answered", "expired", "withdrawn")},
    **{
        f"client_code, {number} {problems}": {
            "client": page, "handle": "-", "problems": problems, "late": bool(problems),
        }
        for number, page in enumerate((
            ClientPage(state=LinkState.OPEN),
            ClientPage(state=LinkState.OPEN, number_ends="21"),
            ClientPage(state=LinkState.OPEN, number_ends="21", code_until=AT, wait_until=AT),
        ))
        for problems in ({}, {"code": "That is not the code, or it is too old"})
    },
    **{
        f"alert, {state} {late}": {
            "alert": AlertPage(state=LinkState(state), acknowledged_by="Jo Made-Up"), "handle": "-", "state": state,
            "late": late, "severity": "", "category": "",
        }
        for state in ("answered", "expired", "withdrawn")
        for late in (True, False)
    },
}  # fmt: skip
RENDERED: dict[str, dict[str, Any]] = {
    **STANDINGS, **CHANGES, **ERRORS, **LINKS, "too_often": {}, "full": {}, "closed": {}, "cookies": {},
    "withdrawn, certain": {"is_certain": True}, "withdrawn, passed on": {"is_certain": False},
}  # fmt: skip
"""Pages that are hard to come to, as the site makes them of these values."""

PARTS = {"base", "blank_base", "macros", "link_base", "form_base"}
OF_A_FORM = {"leaving", "step", "check", "done", "begun"}
"""Looked at on the way through each form, in `test_browser.py`, and after a slip, in `test_browser_leaving.py`."""

OF_A_LINK = {"form", "form_item", "form_all", "form_check", "offer", "offer_decline", "client", "client_report"}
"""Looked at on the way from each letter, in `test_browser_links.py`."""


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
    assert templates - PARTS - OF_A_FORM - OF_A_LINK == looked_at


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
