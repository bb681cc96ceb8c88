"""Reading what was typed: forgiving of spaces and punctuation, clear about what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from marshmallow import ValidationError, validate

from web.site.forms.definition import CHOSEN, NO, UNSURE, YES, Answer, Answers, Choice, Kind, Question
from web.site.texts import N_

Raw = Mapping[str, Sequence[str]]
"""A form as it was posted: the values of each field."""

TEXT_CHARACTERS, LONG_TEXT_CHARACTERS = 200, 2_000
PASSPHRASE_CHARACTERS = 8

_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?([0-9][A-Z]{2})?")
_EMAIL = re.compile(r"[^@\s]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

HAS_CHOICES = CHOSEN | {Kind.YES_NO, Kind.YES_NO_UNSURE}
"""The kinds that are answered by choosing."""

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
INVALID = {
    Kind.NUMBER: N_("Enter a whole number, like 25"),
    Kind.MONEY: N_("Enter an amount in pounds, like 25 or 25.50"),
    Kind.DATE: N_("Enter a real date, like 27 3 1985"),
    Kind.POSTCODE: N_("Enter a UK postcode, like NP20 4UR, or its first half, like NP20"),
    Kind.EMAIL: N_("Enter an email address in the form name@example.org"),
    Kind.TELEPHONE: N_("Enter a telephone number, like 01632 960 001"),
    Kind.PASSPHRASE: N_("Use at least eight letters or digits"),
    Kind.CHOICE: N_("Choose one of the answers"),
    Kind.SEVERAL: N_("Choose answers that go together"),
}
MISSING_ANSWER = N_("Write an answer")
TOO_LONG = N_("Please make this shorter")
OUT_OF_RANGE = N_("Please check this number")
OUT_OF_TIME = N_("Please check this date: it is in the future, or too long ago")


class Wrong(ValueError):
    """What was typed can't be taken; the message (untranslated) says what to do."""


def choices_of(question: Question, answers: Answers) -> tuple[Choice, ...]:
    """The choices that are offered, given the answers to earlier questions."""
    if question.kind is Kind.YES_NO:
        return YES_NO
    if question.kind is Kind.YES_NO_UNSURE:
        return YES_NO_UNSURE
    return tuple(choice for choice in question.choices if choice.when.holds(answers))


def read(question: Question, raw: Raw, answers: Answers, *, today: date) -> Answer:
    """The answer in the one form it is stored in. Raises Wrong."""
    if question.kind is Kind.SEVERAL:
        return _read_several(question, raw, answers)
    typed = _typed(question, raw)
    if not typed:
        return _blank(question)
    try:
        answer = _READERS[question.kind](question, typed, answers)
        if question.kind is Kind.DATE:
            _refuse_beyond_limits(question, date.fromisoformat(answer), today)
        return answer
    except Wrong:
        raise
    except ValueError:
        raise Wrong(question.invalid or INVALID.get(question.kind, MISSING_ANSWER)) from None


def accepts(question: Question, answer: Answer, answers: Answers) -> bool:
    """Whether a stored answer is still one that could be given now."""
    if answer in ("", ()):
        return question.optional
    if question.kind not in HAS_CHOICES:
        return True
    given = {answer} if isinstance(answer, str) else set(answer)
    return given <= {choice.value for choice in choices_of(question, answers)}


def raw_of(question: Question, answer: Answer | None) -> dict[str, list[str]]:
    """A stored answer as the fields of the page show it."""
    if not answer:
        return {}
    if isinstance(answer, tuple):
        return {question.id: list(answer)}
    if question.kind is Kind.DATE:
        day = date.fromisoformat(answer)
        return {f"{question.id}-{part}": [str(getattr(day, part))] for part in ("day", "month", "year")}
    if question.kind is Kind.MONEY:
        return {question.id: [pounds(int(answer)).removeprefix("£")]}
    return {question.id: [answer]}


def as_json(question: Question, answer: Answer, *, flag: bool) -> Any:
    """An answer as a field of the sealed form takes it; `flag` if that field is true or false."""
    if isinstance(answer, tuple):
        return list(answer)
    if question.kind in (Kind.NUMBER, Kind.MONEY):
        return int(answer)
    if flag:
        return (question.unsure_counts_as if answer == UNSURE else answer) == YES
    return answer


def pounds(pence: int) -> str:
    whole, rest = divmod(pence, 100)
    return f"£{whole:,}.{rest:02}" if rest else f"£{whole:,}"


def _typed(question: Question, raw: Raw) -> str:
    if question.kind is Kind.DATE:
        parts = [_first(raw, f"{question.id}-{part}") for part in ("year", "month", "day")]
        return "-".join(parts) if any(parts) else ""
    return _first(raw, question.id)


def _first(raw: Raw, name: str) -> str:
    values = raw.get(name) or ("",)
    return _CONTROLS.sub("", values[0].replace("\r\n", "\n")).strip()


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
    if given - set(chosen) or (len(chosen) > 1 and any(one.alone for one in offered if one.value in chosen)):
        raise Wrong(question.invalid or INVALID[Kind.SEVERAL])
    if not chosen and not question.optional:
        raise Wrong(question.missing or MISSING[Kind.SEVERAL])
    return chosen


def _read_text(question: Question, typed: str, answers: Answers) -> str:
    usual = LONG_TEXT_CHARACTERS if question.kind is Kind.LONG_TEXT else TEXT_CHARACTERS
    if len(typed) > (question.most or usual):
        raise Wrong(TOO_LONG)
    return typed if question.kind is Kind.LONG_TEXT else " ".join(typed.split())


def _read_number(question: Question, typed: str, answers: Answers) -> str:
    found = re.fullmatch(r"([0-9]{1,6})\s*[a-z]*\.?", typed.replace(",", "").lower(), re.ASCII)
    if found is None:
        raise ValueError
    number = int(found[1])
    if number < (question.least or 0) or (question.most is not None and number > question.most):
        raise Wrong(question.invalid or OUT_OF_RANGE)
    return str(number)


def _read_money(question: Question, typed: str, answers: Answers) -> str:
    found = re.fullmatch(r"£?([0-9]{1,5})(?:\.([0-9]{2}))?", re.sub(r"[\s,]", "", typed), re.ASCII)
    if found is None:
        raise ValueError
    return str(int(found[1]) * 100 + int(found[2] or 0))


def _read_date(question: Question, typed: str, answers: Answers) -> str:
    found = re.fullmatch(r"((?:19|20)[0-9]{2})-([0-9]{1,2})-([0-9]{1,2})", re.sub(r"\s", "", typed), re.ASCII)
    if found is None:
        raise ValueError
    return date(*map(int, found.groups())).isoformat()


def _refuse_beyond_limits(question: Question, day: date, today: date) -> None:
    """Raises Wrong. Years ago are whole years that have passed; a day to come is less than none ago."""
    years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    too_late = question.least is not None and years < question.least
    if too_late or (question.most is not None and years > question.most):
        raise Wrong(question.invalid or OUT_OF_TIME)


def _read_choice(question: Question, typed: str, answers: Answers) -> str:
    if typed not in {choice.value for choice in choices_of(question, answers)}:
        raise ValueError
    return typed


def _read_postcode(question: Question, typed: str, answers: Answers) -> str:
    plain = "".join(filter(str.isalnum, typed)).upper()
    found = _POSTCODE.fullmatch(plain)
    if found is None:
        raise ValueError
    return f"{plain[:-3]} {plain[-3:]}" if found[1] else plain


def _read_email(question: Question, typed: str, answers: Answers) -> str:
    plain = re.sub(r"\s", "", typed).removeprefix("mailto:").strip("<>,;")
    if len(plain) > 254 or not plain.isascii() or not _EMAIL.fullmatch(plain) or not _fits_email(plain):
        raise ValueError
    return plain


def _fits_email(plain: str) -> bool:
    """As strict as the sealed form's own check, so that nothing is found wrong only when it is sent."""
    try:
        validate.Email()(plain)
    except ValidationError:
        return False
    return True


def _read_telephone(question: Question, typed: str, answers: Answers) -> str:
    plain = re.sub(r"[^0-9+]", "", typed, flags=re.ASCII)
    if not re.fullmatch(r"\+?[0-9]{7,15}", plain, re.ASCII) or re.search(r"[A-Za-z]{3}", typed):
        raise ValueError
    return plain


def _read_passphrase(question: Question, typed: str, answers: Answers) -> str:
    if len(re.sub(r"\s", "", typed)) < PASSPHRASE_CHARACTERS:
        raise ValueError
    if len(typed) > TEXT_CHARACTERS:
        raise Wrong(TOO_LONG)
    return typed


def _read_consent(question: Question, typed: str, answers: Answers) -> str:
    if typed != YES:
        return _blank(question)
    return YES


_READERS: dict[Kind, Callable[[Question, str, Answers], str]] = {
    Kind.TEXT: _read_text,
    Kind.LONG_TEXT: _read_text,
    Kind.NUMBER: _read_number,
    Kind.MONEY: _read_money,
    Kind.DATE: _read_date,
    Kind.CHOICE: _read_choice,
    Kind.YES_NO: _read_choice,
    Kind.YES_NO_UNSURE: _read_choice,
    Kind.POSTCODE: _read_postcode,
    Kind.EMAIL: _read_email,
    Kind.TELEPHONE: _read_telephone,
    Kind.PASSPHRASE: _read_passphrase,
    Kind.CONSENT: _read_consent,
}
