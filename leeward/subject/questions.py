"""The questions as they were asked: an answer's own question and its choices' own words, in the version it answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from contracts.commands.subject import Fact, Section
from web.site.forms.definition import Choice, Definition, Kind, Question
from web.site.forms.kinds import HAS_CHOICES, YES_NO, YES_NO_UNSURE
from web.site.forms.reading import read_version

Asked = Mapping[str, list[Question]]


def in_the_forms_words(section: Section, own: Path | None) -> Section:
    """The section as it is, unless its definition is still there: then each answer below its own question, in order."""
    if section.definition is None or section.definition_version is None:
        return section
    definition = read_version(section.definition, section.definition_version, own)
    if definition is None:
        return section
    asked = _by_field(definition)
    order = {path: number for number, path in enumerate(asked)}
    entries = []
    for entry in section.entries:
        facts = sorted(entry.facts, key=lambda fact: order.get(fact.asked or "", len(order)))
        entries.append(replace(entry, facts=tuple(_asked(fact, asked) for fact in facts)))
    return replace(section, entries=tuple(entries))


def _by_field(definition: Definition) -> Asked:
    """The questions by the field they fill and by their own id, in the order they are asked."""
    asked: dict[str, list[Question]] = defaultdict(list)
    for question in definition.questions():
        for path in filter(None, (question.fills, f"answers.{question.id}")):
            asked[path].append(question)
    return asked


def _asked(fact: Fact, asked: Asked) -> Fact:
    questions = asked.get(fact.asked or "", [])
    if not questions:
        return fact
    labels = " / ".join(dict.fromkeys(question.label for question in questions))
    words = {choice.value: choice.label for question in questions for choice in _choices(question)}
    if fact.exactly and set(fact.exactly) <= set(words):
        return replace(fact, what=labels, value="; ".join(words[code] for code in fact.exactly))
    return replace(fact, what=labels)


def _choices(question: Question) -> tuple[Choice, ...]:
    if question.kind not in HAS_CHOICES:
        return ()
    return {Kind.YES_NO: YES_NO, Kind.YES_NO_UNSURE: YES_NO_UNSURE}.get(question.kind, question.choices)
