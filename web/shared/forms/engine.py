"""The pages that a person is shown, given their answers, and which answers count. Pure functions over values.

Conditions depend on earlier pages only, so one pass in order decides everything: an answer counts if its page and
question are shown, given the counting answers before it, and if it could still be given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from web.shared.forms.definition import Answer, Answers, Definition, Page, Question
from web.shared.forms.field_types import Raw, Wrong, accepts, read
from web.shared.texts import N_

MOST_BYTES = 40_000
"""The limit for all answers together, which must fit into one message when sealed."""

TOO_MUCH = N_("Altogether this is more than we can send. Please make this answer shorter")


@dataclass(frozen=True)
class PostedPage:
    """A page that was read: problems by question id, and all answers, with the page's own if it has no problems."""

    answers: dict[str, Answer]
    problems: Mapping[str, str]


@dataclass(frozen=True)
class Shown:
    """A page as it is shown now. `number`: its position in the definition from 1; `answered`: all its questions are."""

    number: int
    page: Page
    questions: tuple[Question, ...]
    answered: bool


def shown_pages(definition: Definition, answers: Answers) -> list[Shown]:
    """The pages that a person with these answers is shown, in order."""
    return [shown for shown, _ in _walk(definition, answers)]


def applicable(definition: Definition, answers: Answers) -> dict[str, Answer]:
    """The answers that count: those to questions that are shown. Only these are ever sent."""
    counting: dict[str, Answer] = {}
    for _, given in _walk(definition, answers):
        counting.update(given)
    return counting


def page_numbered(definition: Definition, answers: Answers, number: int) -> Shown | None:
    """The page with this number, if it is shown and every page before it that must be answered is."""
    for shown in shown_pages(definition, answers):
        if shown.number == number:
            return shown
        if not shown.answered and not shown.page.more:
            return None
    return None


def first_unanswered(definition: Definition, answers: Answers) -> Shown | None:
    """The first page that still must be answered; None if there is none."""
    return next((page for page in shown_pages(definition, answers) if not page.answered and not page.page.more), None)


def is_complete(definition: Definition, answers: Answers) -> bool:
    return first_unanswered(definition, answers) is None


def page_after(definition: Definition, answers: Answers, number: int) -> Shown | None:
    """The next page; None if checking the answers comes next."""
    return next((page for page in _pages_of_same_kind(definition, answers, number) if page.number > number), None)


def page_before(definition: Definition, answers: Answers, number: int) -> Shown | None:
    """The page before; None if there is none of the same kind (needed or not)."""
    earlier = [page for page in _pages_of_same_kind(definition, answers, number) if page.number < number]
    return earlier[-1] if earlier else None


def place_of(definition: Definition, answers: Answers, number: int) -> tuple[int, int]:
    """The page's position and the number of pages, counted among the needed pages or among the others."""
    alike = _pages_of_same_kind(definition, answers, number)
    return sum(page.number <= number for page in alike), len(alike)


def newly_asked(definition: Definition, before: Answers, after: Answers) -> Shown | None:
    """The first unanswered page that is shown only since the change from `before` to `after`; None if there is none."""
    old = {page.number for page in shown_pages(definition, before)}
    shown = shown_pages(definition, after)
    return next((page for page in shown if page.number not in old and not page.answered), None)


def _pages_of_same_kind(definition: Definition, answers: Answers, number: int) -> list[Shown]:
    """The shown pages of the same kind as this one: needed, or those that the form can be sent without (`more`)."""
    more = 0 < number <= len(definition.pages) and definition.pages[number - 1].more
    return [page for page in shown_pages(definition, answers) if page.page.more is more]


def answer_page(definition: Definition, answers: Answers, shown: Shown, raw: Raw, *, today: date) -> PostedPage:
    """Reads a posted page. Fields that are not shown on it are ignored."""
    read_here, problems = read_questions(shown.questions, raw, applicable(definition, answers), today=today)
    together = {**answers, **read_here}
    if not problems and is_too_much(definition, together):
        problems[shown.questions[-1].id] = TOO_MUCH
    return PostedPage(answers=dict(answers) if problems else together, problems=problems)


def read_questions(
    questions: Iterable[Question], raw: Raw, counting: Answers, *, today: date
) -> tuple[dict[str, Answer], dict[str, str]]:
    """What was answered to these questions, and what is wrong with the others."""
    answers: dict[str, Answer] = {}
    problems: dict[str, str] = {}
    for question in questions:
        try:
            answers[question.id] = read(question, raw, counting, today=today)
        except Wrong as wrong:
            problems[question.id] = str(wrong)
    return answers, problems


def is_too_much(definition: Definition, answers: Answers) -> bool:
    """Whether all that counts is more than can be sent."""
    return len(json.dumps(applicable(definition, answers))) > MOST_BYTES


def _walk(definition: Definition, answers: Answers) -> Iterator[tuple[Shown, dict[str, Answer]]]:
    """Each page that is shown, with the answers on it that count."""
    counting: dict[str, Answer] = {}
    for number, page in enumerate(definition.pages, start=1):
        if not page.when.holds(counting):
            continue
        page = definition.as_said(page, counting)
        questions = tuple(question for question in page.questions if question.when.holds(counting))
        if not questions:
            continue
        here = {
            question.id: answers[question.id]
            for question in questions
            if question.id in answers and accepts(question, answers[question.id], counting)
        }
        counting.update(here)
        yield Shown(number, page, questions, answered=len(here) == len(questions)), here
