"""The parts of a form: pages, questions, choices, conditions. They are read from definition files, without code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Answer = str | tuple[str, ...]
Answers = Mapping[str, Answer]
"""Stored answers by question id. An optional question that was left blank has `""` or `()`."""


class Kind(StrEnum):
    """How a question is asked and read."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    MONEY = "money"
    MILES = "miles"  # kept in kilometres
    DATE = "date"
    CHOICE = "choice"
    SEVERAL = "several"
    YES_NO = "yes_no"
    YES_NO_UNSURE = "yes_no_unsure"
    POSTCODE = "postcode"
    EMAIL = "email"
    TELEPHONE = "telephone"
    PASSPHRASE = "passphrase"  # noqa: S105 - a kind of question
    CONSENT = "consent"


CHOSEN = frozenset({Kind.CHOICE, Kind.SEVERAL})
"""The kinds that list their choices."""

ONE_OF_SEVERAL = frozenset({Kind.CHOICE, Kind.YES_NO, Kind.YES_NO_UNSURE})
DECLINED = frozenset({"not_said", "prefer_not_to_say"})
"""Values of choices by which somebody says that they would rather not answer."""

YES, NO, UNSURE = "yes", "no", "unsure"

Theirs = tuple[tuple[str, Any], ...]
"""Texts by attribute, which replace the usual ones if somebody fills in the form for another person."""


@dataclass(frozen=True)
class Condition:
    """Holds if each `wanted` question has any of its values, and no `unwanted` question has any of its values."""

    wanted: tuple[tuple[str, frozenset[str]], ...] = ()
    unwanted: tuple[tuple[str, frozenset[str]], ...] = ()

    @property
    def is_always(self) -> bool:
        return not (self.wanted or self.unwanted)

    def and_also(self, other: Condition) -> Condition:
        return Condition(self.wanted + other.wanted, self.unwanted + other.unwanted)

    def holds(self, answers: Answers) -> bool:
        if self.is_always:
            return True
        return all(values & _given(answers.get(question)) for question, values in self.wanted) and not any(
            values & _given(answers.get(question)) for question, values in self.unwanted
        )


ALWAYS = Condition()


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    hint: str = ""
    alone: bool = False
    """Of several choices: can't be combined with another."""
    when: Condition = ALWAYS
    theirs: Theirs = ()


@dataclass(frozen=True)
class Question:
    """One question. `fills` is a path into `contracts.sealed.HelpSubmission`, such as `contact.email`."""

    id: str
    kind: Kind
    label: str
    hint: str = ""
    optional: bool = False
    fills: str = ""
    choices: tuple[Choice, ...] = ()
    when: Condition = ALWAYS
    least: int | None = None
    most: int | None = None
    """Limits: of a number's value, of a text's length, of how many years ago a date is."""
    missing: str = ""
    invalid: str = ""
    unsure_counts_as: str = ""
    text_version: int = 1
    """Of a consent: which wording of it this is."""
    texted: tuple[Condition, ...] = ()
    """Of a telephone number: if any of these holds, it must be able to receive text messages."""
    beside: str = ""
    """Of an age: the id of the question for the date of birth, and the other way round. The two must agree."""
    none: str = ""
    """Of an optional choice: the label of the option that clears it."""
    otherwise: str = ""
    """Of a postcode: the label of a box for people without one, who then answer `NO_FIXED_ABODE`."""
    theirs: Theirs = ()

    @property
    def can_be_taken_back(self) -> bool:
        """Whether it needs an extra option to clear it: it is optional, and has no choice for "rather not say"."""
        said = {choice.value for choice in self.choices}
        return self.optional and self.kind in ONE_OF_SEVERAL and not said & DECLINED

    @property
    def is_consent(self) -> bool:
        """Whether it asks for consent, or for what somebody else has consented to."""
        return self.kind is Kind.CONSENT or self.fills.startswith("consents.")


@dataclass(frozen=True)
class Page:
    """What is shown together, usually one question."""

    id: str
    questions: tuple[Question, ...]
    title: str = ""
    intro: tuple[str, ...] = ()
    panel: str = ""
    when: Condition = ALWAYS
    section: str = ""
    """The heading of this page and those after it, where answers are checked."""
    more: bool = False
    """Whether the form can be sent without this page."""
    theirs: Theirs = ()


@dataclass(frozen=True)
class Setting:
    """A value that the form sets itself, always or under a condition; a later setting overrides an earlier one."""

    field: str
    value: str
    when: Condition = ALWAYS


@dataclass(frozen=True)
class Definition:
    """One route's form in one version. Its pages are shown in order."""

    name: str
    version: int
    title: str
    pages: tuple[Page, ...]
    settings: tuple[Setting, ...] = ()
    hint: str = ""
    order: int = 0
    prominent_exit: bool = True
    theirs_when: Condition | None = None
    """When this form is filled in for another person; None for never."""

    def is_anothers(self, answers: Answers) -> bool:
        """Whether whoever gives these answers fills in the form for another person."""
        return self.theirs_when is not None and self.theirs_when.holds(answers)

    def as_said(self, page: Page, answers: Answers) -> Page:
        """The page with the texts for whoever gives these answers: the usual ones, or `theirs`."""
        return _with_texts_for_another(page) if self.is_anothers(answers) else page

    def questions(self) -> Iterator[Question]:
        for page in self.pages:
            yield from page.questions


def _with_texts_for_another(page: Page) -> Page:
    questions = tuple(
        replace(
            question,
            **dict(question.theirs),
            choices=tuple(replace(choice, **dict(choice.theirs)) for choice in question.choices),
        )
        for question in page.questions
    )
    return replace(page, **dict(page.theirs), questions=questions)


def _given(answer: Answer | None) -> frozenset[str]:
    if answer is None:
        return frozenset()
    return frozenset((answer,) if isinstance(answer, str) else answer)
