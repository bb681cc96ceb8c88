"""An export in Welsh: the charity's words are translated, what people wrote is not, and the page says how far."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from chassis.subject_access import entry, fact
from contracts.commands.subject import Entry, Fact, Ground, Section, Topic
from contracts.vocabulary import HoldReason, Known
from leeward.subject_access import catalogue, languages
from leeward.subject_access.gathering import Part, Request
from leeward.subject_access.languages import Language, Reader, po_file, translator
from leeward.subject_access.numbers import numbered
from leeward.subject_access.page import TABLES, as_html
from leeward.subject_access.questions import in_the_forms_words
from tests.site.test_languages import untranslated
from tests.unit.subject.test_leaving_out import exported
from tests.unit.subject.test_page import answered
from web.shared.languages import LANGUAGES, MISSED, UNREAD, Translations, read_catalogue

MOMENT = datetime(2026, 7, 21, 14, 58, tzinfo=UTC)


def page(sections: Iterable[Section], *grounds: Ground, language: Language = Language.WELSH) -> str:
    parts = tuple(Part("intake", section) for section in sections)
    requests = numbered([Request("of-robin", "9C28-SAU2-5", parts), Request("of-robin-again", "7F2K-M3QX-D", ())])
    return as_html(replace(exported(requests, *grounds), language=language))


def told(one: Fact, topic: Topic = Topic.STEPS, language: Language = Language.WELSH) -> str:
    return page([Section(topic=topic, entries=(Entry(facts=(one,)),))], language=language)


def test_the_catalogue_is_up_to_date() -> None:
    assert list(Language) == list(LANGUAGES), "what the site speaks, of which it takes the forms' questions"
    assert po_file("cy").read_text() == catalogue.updated("cy"), "run `make docs`"


def test_every_text_has_its_welsh_with_the_same_gaps_to_fill() -> None:
    texts = read_catalogue(po_file("cy")).texts
    assert set(texts) == {str(one.id) for one in catalogue.template() if one.id}
    for text, translated in texts.items():
        assert set(re.findall(r"%\(\w+\)s", text)) == set(re.findall(r"%\(\w+\)s", translated)), text


def test_a_refusal_and_a_docstring_are_nothing_that_an_export_tells() -> None:
    texts = {str(one.id) for one in catalogue.template()}
    assert "Erased" in texts
    assert not [
        text for text in texts if text.startswith(("What intake holds about a person, in words", "There is no"))
    ]


def test_the_page_says_nothing_past_gettext(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = {str(one.id): f"«{one.id}»" for one in catalogue.template() if one.id}
    monkeypatch.setattr(
        languages,
        "_translations",
        lambda language: Translations(marked | {"July": "«July»", "November": "November"}),
    )
    one = Entry(facts=(fact("When", MOMENT), fact("Why", Known.YES)))
    html = page([Section(topic=topic, entries=(one,)) for topic in Topic], *Ground)
    body = html.partition("<body>")[2]
    assert set(untranslated(body)) == {"9C28-SAU2-5", "7F2K-M3QX-D"}


@pytest.mark.parametrize("topic", [Topic.STEPS, Topic.ASSESSMENT])
def test_what_the_charity_says_is_told_in_welsh(topic: Topic) -> None:
    assert (topic in TABLES) == (topic is Topic.STEPS)
    html = told(fact("Why", HoldReason.CLIENT_NOT_READY), topic)
    assert "Pam" in html
    assert "Doeddech chi ddim yn barod eto" in html
    assert '<html lang="cy">' in html


def test_several_codes_are_told_one_by_one_and_one_that_has_a_semicolon_as_a_whole() -> None:
    reader = Reader(translator(Language.WELSH))
    both = (fact("How", Known.YES), fact("How", Known.UNSURE))
    assert reader.value(fact("How", (Known.YES, Known.UNSURE))) == "; ".join(reader.value(one) for one in both)
    assert reader.value(both[1]) == "Ddim yn siŵr"
    ended = replace(fact("How it stands", "Ended; what was left has gone back to the fund"), exactly=("ended",))
    assert reader.value(ended).startswith("Wedi dod i ben; mae’r hyn")
    assert not reader.says.missed


def test_what_somebody_typed_stands_as_they_typed_it() -> None:
    for typed in ("Yes", "2026-07-21", "You"):
        for one in (
            fact("Name", typed, asked="name"),
            replace(fact("More", typed, asked="answers.x"), exactly=(typed,)),
        ):
            assert f"<dd>{typed}</dd>" in told(one, Topic.ANSWERS)


def test_what_a_service_tells_without_its_code_is_told_in_welsh_too() -> None:
    assert "Y swyddfa" in told(fact("By", "The office"))
    assert "Sam Example" in told(fact("By", "Sam Example"))


def test_days_and_moments_are_written_out_by_the_clock_in_london() -> None:
    assert "21 Gorffennaf 2026, 15.58" in told(fact("When", MOMENT))
    assert "29 Gorffennaf 1983" in told(fact("Date of birth", date(1983, 7, 29), asked="date_of_birth"), Topic.ANSWERS)
    assert "21 July 2026, 3.58 pm" in told(fact("When", MOMENT), language=Language.ENGLISH)


def test_questions_and_answers_are_told_in_the_forms_own_welsh() -> None:
    html = page([in_the_forms_words(answered(1), None)])
    assert "Beth ddaeth â chi yma?" in html
    assert "Dydw i ddim yn siŵr" in html


def test_what_has_no_welsh_is_marked_as_english_and_the_page_says_so() -> None:
    html = told(fact("A question of a charity’s own", "typed", asked="answers.own"), Topic.ANSWERS)
    assert '<dt><span lang="en">A question of a charity’s own</span></dt>' in html
    assert f'<p class="notice" lang="en">{MISSED} {UNREAD}</p>' in html


def test_a_page_says_in_english_that_no_welsh_speaker_has_read_it_and_an_english_page_says_nothing() -> None:
    known = [Section(topic=Topic.STEPS, entries=(entry(("When", MOMENT)),))]
    assert f'<p class="notice" lang="en">{UNREAD}</p>' in page(known)
    assert 'class="notice"' not in page(known, language=Language.ENGLISH)


def test_an_entry_has_the_same_number_in_every_language() -> None:
    numbers = [re.findall(r'class="number">(\d{6})<', told(fact("Why", Known.YES), language=one)) for one in Language]
    assert numbers[0] == numbers[1] != []
