"""Fields of forms for what people type: amounts, whole numbers, telephone numbers, the first half of a postcode."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from wtforms import StringField
from wtforms.validators import ValidationError

from contracts.typed.emails import read_email
from contracts.typed.faults import Fault, Unreadable
from contracts.typed.money import MOST_PENCE, read_pounds
from contracts.typed.numbers import read_whole
from contracts.typed.postcodes import FORCES, NO_FIXED_ABODE, read_postcode
from contracts.typed.telephones import read_telephone
from web.console.pages import words
from web.shared.staff.forms import stripped

_OF_LOCAL_USE = re.compile("q[a-t][a-z]")
"""Codes that ISO 639 leaves to whoever needs one."""

_AUTHORITY = re.compile("[EWSN][0-9]{8}")


class Typed(StringField):
    """A line that is read by one of the language's rules. `value` is what was read; None where nothing was typed."""

    value: Any = None

    def __init__(
        self, label: str, *, read: Callable[[str], Any], problem: str, needed: bool = True, **rest: Any
    ) -> None:
        super().__init__(label, filters=[stripped], **rest)
        self._read, self._problem, self._needed = read, problem, needed

    def pre_validate(self, form: Any) -> None:
        """Raises ValidationError."""
        if not self.data and not self._needed:
            return
        try:
            self.value = self._read(self.data or "")
        except Unreadable:
            raise ValidationError(self._problem) from None


class WholeNumber(Typed):
    """One that a telephone shows its digits for."""


def pounds(label: str, *, least: int = 0, most: int = MOST_PENCE, **rest: Any) -> Any:
    """An amount in pence, from `least` to `most`."""

    def read(text: str) -> int:
        pence = read_pounds(text, most=most)
        if pence < least:
            raise Unreadable(Fault.AT_LEAST, least=least)
        return pence

    between = f"from {words.pounds(least)} to {words.pounds(most)}"
    return Typed(label, read=read, problem=f"Write an amount {between}, like 25 or 25.50.", **rest)


def whole(label: str, *, least: int = 0, most: int, **rest: Any) -> Any:
    read = partial(read_whole, least=least, most=most)
    return WholeNumber(label, read=read, problem=f"Write a whole number from {least} to {most}.", **rest)


def email(label: str, **rest: Any) -> Any:
    return Typed(label, read=read_email, problem="Write an e-mail address, like name@example.org.", **rest)


def telephone(label: str, **rest: Any) -> Any:
    """A number as it is kept, in the international form."""
    problem = "Write a telephone number with its area code, like 01632 960001, or leave it empty."
    return Typed(label, read=lambda text: read_telephone(text).e164, problem=problem, needed=False, **rest)


def outward_code(label: str, **rest: Any) -> Any:
    """The first half of a postcode; the rest is thrown away, since nobody needs to know it."""

    def read(text: str) -> str:
        postcode = read_postcode(text)
        if postcode.startswith(FORCES) or postcode == NO_FIXED_ABODE:
            raise Unreadable(Fault.POSTCODE)
        return postcode.partition(" ")[0]

    return Typed(label, read=read, problem="Write the first half of a postcode, like NP20.", **rest)


def areas(label: str, **rest: Any) -> Any:
    """Codes of police force areas, from their names with commas between them."""

    def read(text: str) -> tuple[str, ...]:
        codes = [words.AREA_CODES.get(one.strip().casefold()) for one in text.split(",") if one.strip()]
        if not codes or not all(codes):
            raise Unreadable(Fault.NUMBER)
        return tuple(dict.fromkeys(code for code in codes if code))

    problem = "Write police force areas with commas between them, like Gwent, South Wales."
    return Typed(label, read=read, problem=problem, needed=False, **rest)


def authority(label: str, **rest: Any) -> Any:
    """A local authority's code."""
    problem = "Write the code of a local authority, like W06000022, or leave it empty."
    return Typed(label, read=_authority_code, problem=problem, **rest)


def authorities(label: str, **rest: Any) -> Any:
    """Codes of local authorities, with commas between them."""

    def read(text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_authority_code(one) for one in text.split(",") if one.strip()))

    problem = "Write codes of local authorities with commas between them, like W06000022, W06000021."
    return Typed(label, read=read, problem=problem, needed=False, **rest)


def language(label: str, **rest: Any) -> Any:
    """A language's code, from its name or code."""
    return Typed(label, read=_language_code, problem="Write one language in English, like Polish.", **rest)


def languages(label: str, **rest: Any) -> Any:
    """Codes of languages, from names or codes that stand between commas."""

    def read(text: str) -> tuple[str, ...]:
        codes = [_language_code(one) for one in text.split(",") if one.strip()]
        if not codes:
            raise Unreadable(Fault.NUMBER)
        return tuple(dict.fromkeys(codes))

    problem = "Write languages in English with commas between them, like English, Welsh, Polish."
    return Typed(label, read=read, problem=problem, **rest)


def _authority_code(text: str) -> str:
    """Raises Unreadable."""
    code = text.strip().upper()
    if not _AUTHORITY.fullmatch(code):
        raise Unreadable(Fault.NUMBER)
    return code


def _language_code(text: str) -> str:
    """Raises Unreadable."""
    named = text.strip().casefold()
    code = words.LANGUAGE_CODES.get(named) or (named if _OF_LOCAL_USE.fullmatch(named) else None)
    if code is None:
        raise Unreadable(Fault.NUMBER)
    return code
