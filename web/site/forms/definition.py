"""What a form is made of. All of it is read from a definition file, so that a charity changes it without code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Answer = str | tuple[str, ...]
Answers = Mapping[str, Answer]
"""What was answered, by question id, in its one stored form. An optional question left blank is `""` or `()`."""


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
"""Texts, by attribute, that are said instead where somebody writes for another person."""


@dataclass(frozen=True)
class Condition:
    """Earlier answers that must be there, and others that must not: for each question any of these values."""

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
    """Of several: can't be chosen together with another."""
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
    """Of a number its value, of a text its characters, of a date how many years ago it is."""
    missing: str = ""
    invalid: str = ""
    unsure_counts_as: str = ""
    text_version: int = 1
    """Of a consent: which wording of it this is."""
    texted: tuple[Condition, ...] = ()
    """Of a telephone number: where any of these holds, text messages must reach it."""
    beside: str = ""
    """Of an age, the question of the date of birth, and the other way round: the two must go together."""
    none: str = ""
    """Of an optional choice: what taking it back is called."""
    otherwise: str = ""
    """Of a postcode: what somebody ticks who has none to give. The answer is then `NO_FIXED_ABODE`."""
    theirs: Theirs = ()

    @property
    def can_be_taken_back(self) -> bool:
        """Whether a choice once made needs a choice of its own to be taken back, because none of them says so."""
        said = {choice.value for choice in self.choices}
        return self.optional and self.kind in ONE_OF_SEVERAL and not said & DECLINED

    @property
    def is_consent(self) -> bool:
        """Whether it asks for consent, or for what somebody else has consented to."""
        return self.kind is Kind.CONSENT or self.fills.startswith("consents.")


@dataclass(frozen=True)
class Page:
    """What is shown at once: as a rule one question."""

    id: str
    questions: tuple[Question, ...]
    title: str = ""
    intro: tuple[str, ...] = ()
    panel: str = ""
    when: Condition = ALWAYS
    section: str = ""
    """What this page and those after it are about, for whoever checks their answers."""
    more: bool = False
    """Whether it can wait until somebody talks with them: the form can be sent without it."""
    theirs: Theirs = ()


@dataclass(frozen=True)
class Setting:
    """A field that is filled by the form itself, always or where a condition holds; a later one goes before."""

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
    """For whom another person writes this form; None if for nobody."""

    def is_anothers(self, answers: Answers) -> bool:
        """Whether whoever gives these answers writes for another person."""
        return self.theirs_when is not None and self.theirs_when.holds(answers)

    def as_said(self, page: Page, answers: Answers) -> Page:
        """The page in the words for whoever gives these answers."""
        return _said_of_another(page) if self.is_anothers(answers) else page

    def questions(self) -> Iterator[Question]:
        for page in self.pages:
            yield from page.questions


def _said_of_another(page: Page) -> Page:
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
