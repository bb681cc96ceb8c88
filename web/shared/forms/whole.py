"""A whole form on one page, for somebody who types while another speaks. Pure functions over values.

What is asked follows from what was answered. So whatever was posted is read against the questions that its page had,
and questions that follow from the answers are shown before anything is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from web.shared.forms.definition import Answer, Answers, Definition, Question
from web.shared.forms.engine import TOO_MUCH, Shown, applicable, is_too_much, read_questions, shown_pages
from web.shared.forms.field_types import Raw


@dataclass(frozen=True)
class Whole:
    """What is to be shown: `pages` with all their questions, what was answered, and problems by question id.

    `following` are the ids of questions that the page had not asked yet, in their order.
    """

    pages: tuple[Shown, ...]
    answers: Answers
    problems: Mapping[str, str]
    following: tuple[str, ...]

    @property
    def asked(self) -> tuple[str, ...]:
        """The ids of all questions that are shown."""
        return tuple(question.id for shown in self.pages for question in shown.questions)

    @property
    def is_complete(self) -> bool:
        return not (self.problems or self.following)


def read_whole(definition: Definition, raw: Raw, asked: Collection[str], *, today: date) -> Whole:
    """Reads what was posted from a page with the questions `asked`; from one that is shown first, nothing."""
    answers: dict[str, Answer] = {}
    problems: dict[str, str] = {}
    for number in range(1, len(definition.pages) + 1):
        here = [question for question in _questions_on(definition, answers, number) if question.id in asked]
        given, wrong = read_questions(here, raw, applicable(definition, answers), today=today)
        answers |= given
        problems |= wrong
    whole = _shown(definition, answers, problems, asked)
    if whole.is_complete and is_too_much(definition, answers):
        return _shown(definition, answers, {whole.asked[-1]: TOO_MUCH}, asked)
    return whole


def _questions_on(definition: Definition, answers: Answers, number: int) -> tuple[Question, ...]:
    return next((shown.questions for shown in shown_pages(definition, answers) if shown.number == number), ())


def _shown(definition: Definition, answers: Answers, problems: Mapping[str, str], asked: Collection[str]) -> Whole:
    pages = tuple(shown_pages(definition, answers))
    following = tuple(question.id for shown in pages for question in shown.questions if question.id not in asked)
    return Whole(pages, applicable(definition, answers), problems, following)
