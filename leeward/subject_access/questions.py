"""Labels answers with the question and choices of the form version that was filled in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from contracts.commands.subject import Fact, Section, Topic
from contracts.typed.postcodes import NO_FIXED_ABODE
from web.shared.forms.definition import Choice, Definition, Kind, Question
from web.shared.forms.field_types import HAS_CHOICES, YES_NO, YES_NO_UNSURE
from web.shared.forms.loader import read_version

Asked = Mapping[str, list[Question]]


def in_the_forms_words(section: Section, own: Path | None) -> Section:
    """The section with each answer labelled by its question, in the form's order; unchanged if that version is gone.

    `own` is the charity's folder of definitions. Facts that were not asked for, given the other answers, keep our
    labels and come last.
    """
    if section.definition is None or section.definition_version is None:
        return section
    definition = read_version(section.definition, section.definition_version, own)
    if definition is None:
        return section
    questions = definition.questions()
    if section.topic is Topic.ANSWERS:
        questions = _shown(definition, [fact for entry in section.entries for fact in entry.facts])
    asked = _by_field(questions)
    order = {path: number for number, path in enumerate(asked)}
    entries = []
    for entry in section.entries:
        facts = sorted(entry.facts, key=lambda fact: order.get(fact.asked or "", len(order)))
        entries.append(replace(entry, facts=tuple(_labelled(fact, asked, definition) for fact in facts)))
    return replace(section, entries=tuple(entries))


def _shown(definition: Definition, facts: Iterable[Fact]) -> Iterator[Question]:
    """The questions that somebody with these answers was shown."""
    by_field = {fact.asked: fact for fact in facts}
    given: dict[str, tuple[str, ...]] = {}
    for page in definition.pages:
        if not page.when.holds(given):
            continue
        page = definition.as_said(page, given)
        shown = [question for question in page.questions if question.when.holds(given)]
        yield from shown
        for question in shown:
            fact = next((by_field[path] for path in _fields_of(question) if path in by_field), None)
            given[question.id] = fact.exactly if fact else ()


def _fields_of(question: Question) -> Iterator[str]:
    """The paths under which its answer may be stored: the field that it fills, or `answers.<id>`."""
    if question.fills:
        yield question.fills
    yield f"answers.{question.id}"


def _by_field(questions: Iterable[Question]) -> Asked:
    asked: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        for path in _fields_of(question):
            asked[path].append(question)
    return asked


def _labelled(fact: Fact, asked: Asked, definition: Definition) -> Fact:
    if fact.asked == "definition":
        return replace(fact, value=definition.title)
    questions = asked.get(fact.asked or "", [])
    if not questions:
        return fact
    if fact.value == NO_FIXED_ABODE:
        otherwise = next((question.otherwise for question in questions if question.otherwise), fact.value)
        return replace(fact, what=questions[0].label, value=otherwise)
    labels = " / ".join(dict.fromkeys(question.label for question in questions))
    words = {choice.value: choice.label for question in questions for choice in _choices(question)}
    if fact.exactly and set(fact.exactly) <= set(words):
        return replace(fact, what=labels, value="; ".join(words[code] for code in fact.exactly))
    return replace(fact, what=labels)


def _choices(question: Question) -> tuple[Choice, ...]:
    if question.kind not in HAS_CHOICES:
        return ()
    return {Kind.YES_NO: YES_NO, Kind.YES_NO_UNSURE: YES_NO_UNSURE}.get(question.kind, question.choices)
