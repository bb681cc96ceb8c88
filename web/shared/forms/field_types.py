"""Reads posted fields into stored answers, tolerant of spaces and punctuation, with a message for what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from contracts.text import clean, visible
from contracts.typed.ages import MOST_YEARS, check_age_and_birth, read_age
from contracts.typed.dates import check_past, read_parts
from contracts.typed.distances import MOST_KILOMETRES, DistanceUnit, in_miles, read_kilometres, write_kilometres
from contracts.typed.emails import read_email
from contracts.typed.faults import Fault, Unreadable
from contracts.typed.money import read_pounds, write_pounds
from contracts.typed.numbers import check_length, read_whole
from contracts.typed.postcodes import NO_FIXED_ABODE, read_postcode
from contracts.typed.telephones import read_telephone, write_telephone
from web.shared.forms.definition import CHOSEN, NO, UNSURE, YES, Answer, Answers, Choice, Kind, Question
from web.shared.forms.related import AGE, BIRTH
from web.shared.forms.wording import said
from web.shared.texts import N_

Raw = Mapping[str, Sequence[str]]
"""A form as it was posted: the values of each field."""

TEXT_CHARACTERS, LONG_TEXT_CHARACTERS = 200, 2_000
PASSPHRASE_CHARACTERS = 8
_ABOUT = re.compile(r"^\s*(about|around|roughly|up to|~)\s*", re.IGNORECASE)
PARTS = ("day", "month", "year")
HOMELESS = "no fixed abode"
"""The text of NO_FIXED_ABODE in the postcode's field."""
DISTANCE = "max_distance_km"
"""A number that fills it is a distance."""
MOST_NUMBER = 999_999
"""The limit of a number whose question sets none."""

HAS_CHOICES = CHOSEN | {Kind.YES_NO, Kind.YES_NO_UNSURE}
"""The kinds that are answered by choosing."""

WORDS = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.PASSPHRASE})
"""The kinds answered by free text. In the others invisible characters, such as those copied along with a telephone
number or an email address, are removed."""

YES_NO = (Choice(YES, N_("Yes")), Choice(NO, N_("No")))
YES_NO_UNSURE = (*YES_NO, Choice(UNSURE, N_("I’m not sure")))

MISSING = {
    Kind.CHOICE: N_("Choose one of the answers"),
    Kind.SEVERAL: N_("Choose at least one answer"),
    Kind.YES_NO: N_("Choose yes or no"),
    Kind.YES_NO_UNSURE: N_("Choose yes, no or I’m not sure"),
    Kind.DATE: N_("Enter the date"),
    Kind.POSTCODE: N_("Enter a postcode, or its first half"),
    Kind.EMAIL: N_("Enter an email address"),
    Kind.TELEPHONE: N_("Enter a telephone number"),
    Kind.CONSENT: N_("Tick the box if you agree. We can only help if you do"),
    Kind.PASSPHRASE: N_("Choose a few words that only you know"),
}
NOT_TOGETHER = N_("Choose answers that go together")
MISSING_ANSWER = N_("Write an answer")


class Wrong(ValueError):
    """What was typed can't be accepted; the message, which is translated when it is shown, says what to do."""

    def __str__(self) -> str:
        text: str = self.args[0]
        return text  # as it is, with what is filled into it


def choices_of(question: Question, answers: Answers) -> tuple[Choice, ...]:
    """The choices that are offered, given the answers to earlier questions."""
    if question.kind is Kind.YES_NO:
        return YES_NO
    if question.kind is Kind.YES_NO_UNSURE:
        return YES_NO_UNSURE
    return tuple(choice for choice in question.choices if choice.when.holds(answers))


def read(question: Question, raw: Raw, answers: Answers, *, today: date) -> Answer:
    """The answer as it is stored. Raises Wrong."""
    if question.kind is Kind.SEVERAL:
        return _read_several(question, raw, answers)
    try:
        if question.kind is Kind.DATE:
            answer = _read_date(question, raw, today)
        else:
            typed = _typed(question, raw)
            answer = _READERS[question.kind](question, typed, answers) if typed else _blank(question)
        _check_age_agrees(question, answer, raw, answers, today)
    except Unreadable as unreadable:
        raise Wrong(question.invalid or said(unreadable)) from None
    return answer


def accepts(question: Question, answer: Answer, answers: Answers) -> bool:
    """Whether a stored answer is still one that could be given now."""
    if answer in ("", ()):
        return question.optional
    if question.kind is Kind.TELEPHONE:
        return not _is_texted(question, answers) or _takes_texts(str(answer))
    if question.kind not in HAS_CHOICES:
        return True
    given = {answer} if isinstance(answer, str) else set(answer)
    return given <= {choice.value for choice in choices_of(question, answers)}


def raw_of(question: Question, answer: Answer | None) -> dict[str, list[str]]:
    """A stored answer as the contents of the page's fields."""
    if not answer:
        return {}
    if isinstance(answer, tuple):
        return {question.id: list(answer)}
    if question.kind is Kind.DATE:
        day = date.fromisoformat(answer)
        return {f"{question.id}-{part}": [str(getattr(day, part))] for part in PARTS}
    if answer == NO_FIXED_ABODE and question.otherwise:
        return {f"{question.id}-otherwise": [YES]}
    return {question.id: [written(question, answer)]}


def written(question: Question, answer: str) -> str:
    """A stored answer of one field as a person writes it, and as it is read again."""
    if question.kind is Kind.MONEY:
        return write_pounds(int(answer))
    if question.kind is Kind.TELEPHONE:
        return write_telephone(answer)
    return HOMELESS if (question.kind, answer) == (Kind.POSTCODE, NO_FIXED_ABODE) else answer


def as_json(question: Question, answer: Answer, *, flag: bool) -> Any:
    """An answer as a field of the sealed form takes it; `flag` if that field is true or false."""
    if isinstance(answer, tuple):
        return list(answer)
    if question.kind in (Kind.NUMBER, Kind.MONEY):
        return int(answer) if answer.isdecimal() else float(answer)
    if question.kind is Kind.MILES:
        return read_kilometres(answer, unit=DistanceUnit.MILES)
    if flag:
        return (question.unsure_counts_as if answer == UNSURE else answer) == YES
    return answer


def pounds(pence: int) -> str:
    return f"£{write_pounds(pence)}"


def _typed(question: Question, raw: Raw) -> str:
    typed = _first(raw, question.id)
    if not typed and question.otherwise and _first(raw, f"{question.id}-otherwise") == YES:
        return NO_FIXED_ABODE
    return typed if question.kind in WORDS else visible(typed).strip()


def _first(raw: Raw, name: str) -> str:
    """The field's first value, cleaned of control characters that nobody types on purpose."""
    values = raw.get(name) or ("",)
    return clean(values[0].replace("\r\n", "\n")).strip()


def _blank(question: Question) -> str:
    if question.kind is Kind.CONSENT and question.optional:
        return NO
    if question.optional:
        return ""
    raise Wrong(question.missing or MISSING.get(question.kind, MISSING_ANSWER))


def _read_several(question: Question, raw: Raw, answers: Answers) -> tuple[str, ...]:
    given = {value for value in raw.get(question.id, ()) if value}
    offered = choices_of(question, answers)
    chosen = tuple(choice.value for choice in offered if choice.value in given)
    if given - set(chosen) or (len(chosen) > 1 and any(choice.alone for choice in offered if choice.value in chosen)):
        raise Wrong(question.invalid or NOT_TOGETHER)
    if not chosen and not question.optional:
        raise Wrong(question.missing or MISSING[Kind.SEVERAL])
    return chosen


def _read_text(question: Question, typed: str, answers: Answers) -> str:
    usual = LONG_TEXT_CHARACTERS if question.kind is Kind.LONG_TEXT else TEXT_CHARACTERS
    check_length(typed, most=question.most or usual)
    return typed if question.kind is Kind.LONG_TEXT else " ".join(typed.split())


def _read_number(question: Question, typed: str, answers: Answers) -> str:
    least = question.least or 0
    if question.fills == AGE:
        return str(read_age(typed, least=least, most=MOST_YEARS if question.most is None else question.most))
    if question.fills == DISTANCE:
        kilometres = read_kilometres(typed, most=MOST_KILOMETRES if question.most is None else question.most)
        if kilometres < least:
            raise Unreadable(Fault.AT_LEAST, least=least)
        return write_kilometres(kilometres)
    return str(read_whole(typed, least=least, most=MOST_NUMBER if question.most is None else question.most))


def _read_miles(question: Question, typed: str, answers: Answers) -> str:
    """As a decimal number of miles, also of what was typed in kilometres."""
    miles = in_miles(read_kilometres(_ABOUT.sub("", typed), unit=DistanceUnit.MILES))
    if miles < (question.least or 0):
        raise Unreadable(Fault.AT_LEAST, least=question.least or 0)
    if question.most is not None and miles > question.most:
        raise Unreadable(Fault.AT_MOST, most=question.most)
    return f"{miles:g}"


def _read_money(question: Question, typed: str, answers: Answers) -> str:
    return str(read_pounds(typed))


def _read_date(question: Question, raw: Raw, today: date) -> str:
    """Years ago are whole years that have passed; a day to come is less than none ago."""
    typed = _parts(question.id, raw)
    if not any(typed):
        return _blank(question)
    day = check_past(read_parts(*typed), today=today, least=question.least, most=question.most)
    return day.isoformat()


def _parts(id_: str, raw: Raw) -> tuple[str, str, str]:
    day, month, year = (visible(_first(raw, f"{id_}-{part}")).strip() for part in PARTS)
    return day, month, year


def _check_age_agrees(question: Question, answer: str, raw: Raw, answers: Answers, today: date) -> None:
    """Raises Unreadable if the age and the date of birth contradict each other.

    If both are on one page, the problem is reported at the date.
    """
    if not (question.beside and answer):
        return
    born = question.fills == BIRTH
    if any(f"{question.beside}-{part}" in raw for part in PARTS):
        return
    other = _first(raw, question.beside) if question.beside in raw else answers.get(question.beside, "")
    if not isinstance(other, str) or not other:
        return
    try:
        age = read_age(other if born else answer)
        day = date.fromisoformat(answer if born else other)
    except ValueError:
        return  # the other field has a problem of its own
    check_age_and_birth(age, day, on=today)


def _read_choice(question: Question, typed: str, answers: Answers) -> str:
    if typed not in {choice.value for choice in choices_of(question, answers)}:
        raise Wrong(question.invalid or MISSING[question.kind])
    return typed


def _read_postcode(question: Question, typed: str, answers: Answers) -> str:
    return read_postcode(typed)


def _read_email(question: Question, typed: str, answers: Answers) -> str:
    return read_email(typed)


def _read_telephone(question: Question, typed: str, answers: Answers) -> str:
    return read_telephone(typed, for_texts=_is_texted(question, answers)).e164


def _is_texted(question: Question, answers: Answers) -> bool:
    return any(condition.holds(answers) for condition in question.texted)


def _takes_texts(number: str) -> bool:
    try:
        return read_telephone(number).takes_texts
    except Unreadable:
        return False


def _read_passphrase(question: Question, typed: str, answers: Answers) -> str:
    return check_length(typed, least=PASSPHRASE_CHARACTERS, most=TEXT_CHARACTERS)


def _read_consent(question: Question, typed: str, answers: Answers) -> str:
    if typed != YES:
        return _blank(question)
    return YES


_READERS: dict[Kind, Callable[[Question, str, Answers], str]] = {
    Kind.TEXT: _read_text,
    Kind.LONG_TEXT: _read_text,
    Kind.NUMBER: _read_number,
    Kind.MONEY: _read_money,
    Kind.MILES: _read_miles,
    Kind.CHOICE: _read_choice,
    Kind.YES_NO: _read_choice,
    Kind.YES_NO_UNSURE: _read_choice,
    Kind.POSTCODE: _read_postcode,
    Kind.EMAIL: _read_email,
    Kind.TELEPHONE: _read_telephone,
    Kind.PASSPHRASE: _read_passphrase,
    Kind.CONSENT: _read_consent,
}
