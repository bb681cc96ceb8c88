"""What is gathered, as a page: each answer below its own question, and nothing that was typed taken for markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chassis.subject_access import fact
from contracts.commands.subject import Entry, ExportReason, Section, Topic
from contracts.sealed import SafeHours
from contracts.vocabulary import Known
from leeward.subject_access.gathering import Part, Request
from leeward.subject_access.numbers import numbered
from leeward.subject_access.page import Export, as_html, as_json
from leeward.subject_access.questions import in_the_forms_words
from leeward.subject_access.wording import ALWAYS_LEFT_OUT, HEADINGS


def answered(version: int) -> Section:
    """Three answers, in another order than they were asked in; the last of them nobody was asked for."""
    facts = (
        fact("Whether the police or social services know", Known.UNSURE, asked="known_to_authorities"),
        replace(fact("What brings you here", "thoughts", asked="answers.what_brings_you"), exactly=("thoughts",)),
        fact("Who got in touch", "You", asked="route"),
    )
    return Section(topic=Topic.ANSWERS, entries=(Entry(facts=facts),), definition="self", definition_version=version)


def test_each_answer_stands_below_its_own_question_in_the_order_it_was_asked() -> None:
    (entry,) = in_the_forms_words(answered(1), None).entries
    assert [(one.what, one.value) for one in entry.facts] == [
        ("What brings you here?", "I am worried about my thoughts or about what I might do"),
        ("Do the police or social services know about this?", "I’m not sure"),
        ("Who got in touch", "You"),
    ]


def test_what_was_never_asked_is_not_told_as_an_answer() -> None:
    facts = (
        fact("When it is safe", SafeHours.ANY, asked="contact.hours"),
        fact("How you heard of us", "Helpline", asked="heard_through"),
        fact("Which form you answered", "Self", asked="definition"),
    )
    section = Section(topic=Topic.ANSWERS, entries=(Entry(facts=facts),), definition="self", definition_version=1)
    for way, what in (("email", "When is it safe?"), ("i_call", "When it is safe")):
        chosen = replace(fact("How", way, asked="answers.contact_way"), exactly=(way,))
        (entry,) = in_the_forms_words(replace(section, entries=(Entry(facts=(*facts, chosen)),)), None).entries
        assert entry.told()[what] == "At any time"
        assert entry.told()["Which form you answered"] == "For myself"


@pytest.mark.parametrize(
    ("who", "what", "value"),
    [
        ("self", "What is your postcode?", "I have no address, or cannot give a postcode"),
        ("guardian", "What is their postcode?", "They have no address, or I do not know the postcode"),
    ],
)
def test_a_question_stands_as_it_was_put_to_whoever_wrote(who: str, what: str, value: str) -> None:
    facts = (replace(fact("Who", who, asked="answers.who_writes"), exactly=(who,)),
             fact("Postcode", "ZZ99 3VZ", asked="postcode"))  # fmt: skip
    section = Section(topic=Topic.ANSWERS, entries=(Entry(facts=facts),), definition="young_person",
                      definition_version=3)  # fmt: skip
    (entry,) = in_the_forms_words(section, None).entries
    assert entry.told()[what] == value


def test_a_charitys_own_form_goes_before_the_shipped_one(tmp_path: Path) -> None:
    shipped = Path("web/shared/forms/definitions/self.v1.yaml").read_text()
    (tmp_path / "self.v1.yaml").write_text(shipped.replace("What brings you here?", "What made you write?"))
    (entry,) = in_the_forms_words(answered(1), tmp_path).entries
    assert entry.facts[0].what == "What made you write?"


def test_answers_to_a_form_that_is_gone_are_told_in_our_own_words() -> None:
    assert in_the_forms_words(answered(99), None) == answered(99)


def exported(value: str) -> Export:
    section = Section(topic=Topic.ANSWERS, entries=(Entry(facts=(fact("Name", value),)),))
    return Export(
        requests=numbered([Request("of-robin", "9C28-SAU2-5", (Part("intake", section),))]),
        made_at=datetime(2026, 11, 21, 15, 58, tzinfo=UTC),
        by="E. Xporter",
        reason=ExportReason.CLIENT_ASKED,
        charity="Leeward",
        telephone="01632 960 001",
    )


def test_what_was_typed_is_never_markup() -> None:
    page = as_html(exported("<script>alert(1)</script>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_what_is_left_out_is_said_in_every_export_alike() -> None:
    page, data = as_html(exported("Robin")), as_json(exported("Robin"))
    for one in ALWAYS_LEFT_OUT:
        assert one.what in page
    assert [one["what"] for one in data["left_out"]] == [one.what for one in ALWAYS_LEFT_OUT]


def test_every_topic_has_a_heading() -> None:
    assert list(HEADINGS) == list(Topic)
