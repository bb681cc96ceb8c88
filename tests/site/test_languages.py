"""Every text that people read goes through gettext."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from services.intake.application import status
from tests.site.conftest import Browser
from tests.site.test_pages import ANSWERS, ROUTES, WITHOUT_SESSION
from web.shared.languages import LANGUAGES, MISSED, UNREAD, Translations
from web.site import catalogue
from web.site.locales import po_file, read_catalogues
from web.site.pages import request
from web.site.pages.request_status import SAID_BY_INTAKE

NAMES = {"Leeward", "English", "NP20 4UR", "GP"}
"""What is the same in every language."""

NEEDED = {"confidentiality_understood": "yes", "consent_processing": "yes", "postcode": "NP20 4UR",
          "contact_way": "i_call", "passphrase": "harbour lantern"}  # fmt: skip


class Words(HTMLParser):
    """What a page says to eyes and ears, piece by piece."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [
            value for name, value in attributes if value and name in ("aria-label", "data-leave-again", "title")
        ]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def untranslated(html: str) -> Iterator[str]:
    """What remains when everything that went through gettext is taken away."""
    for words in Words(html).found:
        rest = re.sub(r"«[^»]*»", "", unescape(words)).strip(" \n:/£()")
        if re.search(r"[A-Za-z]{2}", rest) and rest not in NAMES:
            yield rest


@pytest.fixture
def marked(browser: Browser) -> Browser:
    """A site whose Welsh is every text of the catalogue between marks."""
    texts = {str(one.id): f"«{one.id}»" for one in catalogue.template() if one.id}
    browser.site.renderer._catalogues["cy"] = Translations(texts)
    return browser


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_the_catalogue_is_up_to_date(language: str) -> None:
    assert po_file(language).read_text() == catalogue.updated(language), "run `make docs`"


def test_what_is_filled_into_a_text_is_filled_into_its_translation() -> None:
    for translations in read_catalogues().values():
        for text, translated in translations.texts.items():
            assert set(re.findall(r"%\(\w+\)s", text)) == set(re.findall(r"%\(\w+\)s", translated)), text


@pytest.mark.parametrize("path", WITHOUT_SESSION)
def test_a_plain_page_says_nothing_past_gettext(marked: Browser, path: str) -> None:
    assert list(untranslated(marked.open(f"/cy{path}").text)) == []


@pytest.mark.parametrize("route", ROUTES)
def test_a_form_says_nothing_past_gettext(marked: Browser, route: str) -> None:
    marked.open("/cy/")
    marked.post("/cy/", route=route)
    marked.post("/cy/leaving")
    told_all = False
    while marked.path != "/cy/check" or not told_all:
        if marked.path == "/cy/check":
            told_all = True
            marked.open(str(marked.topic()))
        assert list(untranslated(marked.last.text)) == [], marked.path
        names = set(re.findall(r'name="([a-z_-]+)"', marked.last.text))
        given = NEEDED | {name: value for name, value in ANSWERS.items() if name != "concern"}
        marked.post(marked.path, **{name: value for name, value in given.items() if name in names})
        assert marked.last.status_code == 200
    allowed = {*NEEDED.values(), *(value for value in ANSWERS.values() if isinstance(value, str))}
    assert set(untranslated(marked.last.text)) <= allowed


def test_what_intake_says_of_a_request_is_in_the_catalogue() -> None:
    assert set(SAID_BY_INTAKE) == {*status.WORDS.values(), *status.WRITERS_WORDS.values()}
    assert set(request.SAID_BY_INTAKE) == {
        *status.NEXT_WORDS.values(), *status.WAITING_FOR.values(), status.MONEY,
        *status.WRITERS_NEXT_WORDS.values(), *status.WRITERS_WAITING_FOR.values(),
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/privacy", "/closed"])
def test_a_page_says_in_english_that_not_all_of_it_is_translated(browser: Browser, path: str) -> None:
    welsh = read_catalogues()["cy"].texts
    heading = {"/privacy": "Privacy and cookies", "/closed": "There is nothing to see here"}[path]
    browser.site.renderer._catalogues["cy"] = Translations(
        {text: translated for text, translated in welsh.items() if text != heading}
    )
    answer = browser.open(f"/cy{path}")
    assert f'<p class="notice" lang="en">{MISSED}</p>' in answer.text
    assert f'<h1><span lang="en">{heading}</span></h1>' in answer.text
    browser.site.renderer._catalogues["cy"] = Translations(welsh)
    assert 'class="notice"' not in browser.open(f"/cy{path}").text
    assert 'class="notice"' not in browser.open(path).text


def test_a_page_says_in_english_that_no_welsh_speaker_has_read_it(browser: Browser) -> None:
    welsh = read_catalogues()["cy"].texts
    browser.site.renderer._catalogues["cy"] = Translations(welsh, unread=frozenset({"Cookies"}))
    assert UNREAD in browser.open("/cy/privacy").text
    assert UNREAD not in browser.open("/cy/safety").text
    assert UNREAD not in browser.open("/privacy").text


def test_whoever_brings_the_catalogue_up_to_date_keeps_what_was_not_read(tmp_path: Path) -> None:
    po = po_file("cy").read_text()
    assert '#, fuzzy\nmsgid "Cookies"\n' in po
    catalogues = tmp_path / "cy" / "LC_MESSAGES"
    catalogues.mkdir(parents=True)
    (catalogues / "site.po").write_text(po.replace('#, fuzzy\nmsgid "Cookies"\n', 'msgid "Cookies"\n'))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.site.locales.LOCALE", tmp_path)
        assert catalogue.updated("cy") == (catalogues / "site.po").read_text()
        assert "Cookies" not in read_catalogues()["cy"].unread


def test_every_text_is_said_in_welsh_if_only_for_a_reader_to_check() -> None:
    """The form pages that a Welsh letter leads to were in English, and so were the days of the week."""
    said = read_po(io.BytesIO(po_file("cy").read_bytes()), locale="cy")
    assert [message.id for message in said if message.id and not message.string] == []
