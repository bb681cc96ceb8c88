"""What a form is made of. All of it is read from a definition file, so that a charity changes it without code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

Answer = str | tuple[str, ...]
Answers = Mapping[str, Answer]
"""What was answered, by question id, in its one stored form. An optional question left blank is `""` or `()`."""


class Kind(StrEnum):
    """How a question is asked and read."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    MONEY = "money"
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

YES, NO, UNSURE = "yes", "no", "unsure"


@dataclass(frozen=True)
class Condition:
    """Earlier answers that must be there, and others that must not: for each question any of these values."""

    wanted: tuple[tuple[str, frozenset[str]], ...] = ()
    unwanted: tuple[tuple[str, frozenset[str]], ...] = ()

    @property
    def is_always(self) -> bool:
        return not (self.wanted or self.unwanted)

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


@dataclass(frozen=True)
class Page:
    """What is shown at once: as a rule one question."""

    id: str
    questions: tuple[Question, ...]
    title: str = ""
    intro: tuple[str, ...] = ()
    panel: str = ""
    when: Condition = ALWAYS


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

    def questions(self) -> Iterator[Question]:
        for page in self.pages:
            yield from page.questions


def _given(answer: Answer | None) -> frozenset[str]:
    if answer is None:
        return frozenset()
    return frozenset((answer,) if isinstance(answer, str) else answer)
