"""The summary on the page that checks answers: what was answered, by section, and what was left open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from web.shared.forms.definition import Answers, Definition, Question
from web.shared.forms.engine import Shown, applicable, shown_pages


@dataclass(frozen=True)
class Line:
    """A question, and the number of the page that asks it."""

    number: int
    question: Question


@dataclass(frozen=True)
class Section:
    """Questions under one heading; `number` is that of the first page."""

    name: str
    number: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Overview:
    """`answered` holds only sections in which something was; `open` are questions that were left out; `topics` are
    sections that can wait and of which nothing was looked at yet."""

    answered: tuple[Section, ...]
    open: tuple[Line, ...]
    topics: tuple[Section, ...]


def overview(definition: Definition, answers: Answers) -> Overview:
    counting = applicable(definition, answers)
    sections = [_section(name, pages) for name, pages in _by_section(shown_pages(definition, answers))]
    answered = [
        _only(section, [line for line in section.lines if counting.get(line.question.id)]) for section in sections
    ]
    more = {number for number, page in enumerate(definition.pages, start=1) if page.more}
    topics = tuple(
        section
        for section in sections
        if section.number in more and not any(line.question.id in counting for line in section.lines)
    )
    unseen = {line.question.id for topic in topics for line in topic.lines}
    return Overview(
        answered=tuple(section for section in answered if section.lines),
        open=tuple(
            line
            for section in sections
            for line in section.lines
            if not counting.get(line.question.id) and line.question.id not in unseen
        ),
        topics=topics,
    )


def _by_section(pages: Iterable[Shown]) -> Iterable[tuple[str, list[Shown]]]:
    for name, together in groupby(pages, key=lambda shown: shown.page.section):
        yield name, list(together)


def _section(name: str, pages: list[Shown]) -> Section:
    lines = tuple(Line(shown.number, question) for shown in pages for question in shown.questions)
    return Section(name, pages[0].number, lines)


def _only(section: Section, lines: list[Line]) -> Section:
    return Section(section.name, section.number, tuple(lines))
