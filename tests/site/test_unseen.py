"""Nobody is told of a character that they can't see: what can't be meant is taken out, and what is meant stays."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from contracts.reference import parse_reference, reference_for
from contracts.sealed import Credentials
from tests.site.conftest import Browser
from web.shared.forms.definition import Kind, Question
from web.shared.forms.field_types import read

UNSEEN = ["\x00", "\x1b", "\x9b", "\ud83d", "\u202d", "\u202c", "\u2066", "\u2069"]
COPIED_ALONG = [*UNSEEN, "\u200b", "\ufeff", "\u200e", "\u2060"]
CODES = {
    Kind.EMAIL: ("robin@example.org", "robin@example.org"),
    Kind.TELEPHONE: ("01632 960 001", "+441632960001"),
    Kind.POSTCODE: ("NP20 4UR", "NP20 4UR"),
    Kind.NUMBER: ("25", "25"),
    Kind.MONEY: ("25.50", "2550"),
}


def answer(kind: Kind, typed: str) -> Any:
    question = Question(id="asked", kind=kind, label="Asked")
    return read(question, {"asked": [typed]}, {}, today=date(2026, 11, 23))


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.LONG_TEXT, Kind.PASSPHRASE])
def test_words_are_taken_without_what_cannot_be_meant(kind: Kind, unseen: str) -> None:
    assert answer(kind, f"{unseen}harbour{unseen} lantern{unseen}") == "harbour lantern"


@pytest.mark.parametrize("words", ["👩‍👩‍👧 diolch", "می‌خواهم", "مرحبا\u200f (1)", "first\n\n\tsecond", "co\xadoperate"])
def test_words_stay_as_they_were_meant(words: str) -> None:
    assert answer(Kind.LONG_TEXT, words) == words


@pytest.mark.parametrize("unseen", COPIED_ALONG, ids=ascii)
@pytest.mark.parametrize("kind", CODES)
def test_a_number_or_an_address_is_taken_without_what_was_copied_along(kind: Kind, unseen: str) -> None:
    typed, kept = CODES[kind]
    middle = len(typed) // 2
    assert answer(kind, f"{unseen}{typed[:middle]}{unseen}{typed[middle:]}{unseen}") == kept


@pytest.mark.parametrize("unseen", COPIED_ALONG, ids=ascii)
def test_a_date_is_taken_without_what_was_copied_along(unseen: str) -> None:
    question = Question(id="on", kind=Kind.DATE, label="On")
    raw = {"on-day": [f"{unseen}27"], "on-month": [f"3{unseen}"], "on-year": [f"19{unseen}85"]}
    assert read(question, raw, {}, today=date(2026, 11, 23)) == "1985-03-27"


@pytest.mark.parametrize("unseen", COPIED_ALONG, ids=ascii)
def test_a_reference_is_taken_without_what_was_copied_along(unseen: str) -> None:
    reference = reference_for(uuid4())
    assert parse_reference(f"{unseen}{reference[:3]}{unseen}{reference[3:]}{unseen}") == reference


@pytest.mark.parametrize("page", ["/request", "/withdraw"])
def test_the_words_that_somebody_chose_are_asked_after_as_the_form_took_them(
    browser: Browser, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Credentials] = []
    monkeypatch.setattr(browser.site.enquiry, "ask", lambda credentials: asked.append(credentials))
    monkeypatch.setattr(browser.site.publisher, "withdraw", lambda credentials: asked.append(credentials))
    browser.open(page)
    browser.post(page, reference=reference_for(uuid4()), passphrase="\u202dharbour\x00 lantern\u202c")
    assert [credentials.passphrase for credentials in asked] == ["harbour lantern"]


def test_a_request_with_what_cannot_be_seen_in_it_is_sent(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(concern="It began\x00 in \u202ethe summer 🙂", passphrase="harbour\u2066 lantern quiet")
    browser.post("/check")
    (sent,) = browser.submissions()
    assert (sent.concern, sent.passphrase) == ("It began in the summer 🙂", "harbour lantern quiet")
