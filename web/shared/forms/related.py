"""Links questions that depend on each other: age and date of birth, telephone number and contact channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contracts.sealed import SafeChannel
from web.shared.forms.definition import Condition, Definition, Kind, Question

AGE, BIRTH = "age", "date_of_birth"
_BESIDE = {AGE: BIRTH, BIRTH: AGE}


def related(definition: Definition) -> Definition:
    """The definition with `beside` and `texted` set in its questions, from the fields that they fill."""
    by_field = {question.fills: question.id for question in definition.questions() if question.fills}
    pages = tuple(
        replace(page, questions=tuple(_related(question, definition, by_field) for question in page.questions))
        for page in definition.pages
    )
    return replace(definition, pages=pages)


def _related(question: Question, definition: Definition, by_field: dict[str, str]) -> Question:
    if question.fills in _BESIDE:
        return replace(question, beside=by_field.get(_BESIDE[question.fills], ""))
    if question.kind is Kind.TELEPHONE:
        return replace(question, texted=tuple(_where_texted(question, definition)))
    return question


def _where_texted(question: Question, definition: Definition) -> Iterator[Condition]:
    """The conditions under which the owner of this number is reached by text message."""
    channel = f"{question.fills.rpartition('.')[0]}.channel"
    for setting in definition.settings:
        if (setting.field, setting.value) == (channel, SafeChannel.TEXT):
            yield setting.when
    for other in definition.questions():
        if other.fills == channel:
            yield Condition(wanted=((other.id, frozenset({SafeChannel.TEXT.value})),))
