"""Whom somebody can call is shown by who they are and in which language, can be tapped, and comes out of one file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import Browser
from web.site.helplines import HELPLINES, InvalidHelplines, read_helplines
from web.site.retention import read_terms

OWN = """
[[line]]
when = "you survived abuse"
text = "A line for survivors: %(number)s"
number = "0808 157 0001"
panel = "talk"
routes = ["survivor"]
languages = ["cy"]
cy = { when = "os ydych wedi goroesi", text = "Llinell: %(number)s" }
source = "https://example.org/call"
checked = 2026-11-30
"""


def test_a_survivor_is_not_sent_to_a_line_for_those_worried_about_themselves(browser: Browser) -> None:
    browser.begin("survivor")
    assert "Stop It Now" not in browser.text
    assert "Samaritans: 116 123" in browser.text
    browser.open("/exit")
    browser.client.cookies.clear()
    browser.begin("self")
    assert "Stop It Now" in browser.text


def test_every_number_can_be_tapped(browser: Browser) -> None:
    page = browser.open("/safety").text
    tapped = set(re.findall(r'href="tel:([0-9+]+)"', page))
    assert {"999", "111", "116123", "08001111", "08081000900", "08088005000"} <= tapped


def test_no_shipped_line_has_a_date_of_a_check_that_nobody_made() -> None:
    lines = read_helplines()
    assert {line.checked for line in lines} == {None}
    assert all(line.source for line in lines)


def test_a_charity_s_own_line_is_shown_to_those_it_is_for(browse: Callable[..., Browser], tmp_path: Path) -> None:
    own = tmp_path / "helplines.toml"
    own.write_text(HELPLINES.read_text(encoding="utf-8") + OWN, encoding="utf-8")
    browser = browse(helplines=own)
    browser.begin("survivor")
    assert "A line for survivors" not in browser.text
    browser.open(f"/cy{browser.path}")
    assert "Llinell: 0808 157 0001" in browser.text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [('panel = "talk"', 'panel = "side"', "choose emergency or talk"), ("%(number)s", "the number", "needs %(number)s"),
     ('source = "https', 'sauce = "https', "which no line can"), ("2026-11-30", '"lately"', "a date that is none")],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_named(old: str, new: str, told: str, tmp_path: Path) -> None:
    own = tmp_path / "helplines.toml"
    own.write_text(OWN.replace(old, new), encoding="utf-8")
    with pytest.raises(InvalidHelplines, match=re.escape(told)):
        read_helplines(own)


def test_the_privacy_page_says_who_is_responsible_and_how_long_what_is_kept(browse: Callable[..., Browser]) -> None:
    told: dict[str, Any] = {"controller": "Example Trust, charity 000000", "controller_address": "1 Example Street",
                            "privacy_email": "privacy@example.org", "data_protection_officer": "Sam"}  # fmt: skip
    browser = browse(**told)
    browser.open("/privacy")
    for one in (*told.values(), "article 9(2)(a)", "article 10", "Information Commissioner", "take that back"):
        assert one in browser.text, one
    for term in read_terms():
        assert term.why in browser.text
    assert "20 years" in browser.text


def test_the_privacy_page_follows_the_charity_s_own_terms(browse: Callable[..., Browser], tmp_path: Path) -> None:
    terms = tmp_path / "retention.toml"
    terms.write_text('[[term]]\nmonths = 18\nwhy = "Because we say so."\n', encoding="utf-8")
    browser = browse(retention=terms)
    browser.open("/privacy")
    assert "18 months Because we say so." in browser.text
    assert replace(read_terms(terms)[0], months=24).years == 2
