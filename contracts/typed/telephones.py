"""Telephone numbers, kept in the international form of ITU-T E.164: `+441632960001`.

Google's libphonenumber, in its Python port, knows how numbers of each country look. An extension is kept after the
number as RFC 3966 writes it: `+441632960001;ext=23`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from contracts.typed.faults import Fault, Unreadable
from contracts.typed.numbers import plain

HOME = "GB"
"""Where a number without a country is."""

_EXTENSION = re.compile(r"[\s,;]*(?:ext(?:ension|n)?|est(?:yniad)?|x|;ext=)[.:]?\s*([0-9]{1,7})", re.IGNORECASE)
_TYPED = re.compile(r"\(?\s*\+?[\s().\d/‐-―−-]+")
_SHORTENED = re.compile(r"[0-9]+([.,][0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_TEXTED = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_DRAMA_MOBILE = re.compile(r"7700900[0-9]{3}")
_DRAMA_LINE = re.compile(r"1632960[0-9]{3}")
"""What Ofcom keeps for films, of prefixes that nobody has, so that libphonenumber knows no such number."""


@dataclass(frozen=True)
class Telephone:
    """A number that can be called."""

    e164: str
    """With its extension, if it has one."""
    takes_texts: bool
    """Whether a text message can reach it, as far as its kind tells."""

    def __str__(self) -> str:
        return self.e164


def read_telephone(text: str, *, for_texts: bool = False) -> Telephone:
    """A British number, or one of another country after its +. Raises Unreadable, also if texts must reach it."""
    typed = plain(text).removeprefix("tel:").strip()
    if _SHORTENED.fullmatch(typed):
        raise Unreadable(Fault.TELEPHONE_SHORTENED)
    number, extension = _split(typed)
    found = _parsed(number)
    if not _is_in_use(found):
        raise Unreadable(_what_is_wrong_with(found))
    e164 = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    texts = not extension and (_is_drama(found, _DRAMA_MOBILE) or phonenumbers.number_type(found) in _TEXTED)
    if for_texts and not texts:
        raise Unreadable(Fault.TELEPHONE_NO_TEXTS)
    return Telephone(f"{e164};ext={extension}" if extension else e164, texts)


def as_e164(kept: str) -> str:
    """A number that was kept, perhaps as it was typed before numbers were read. What can't be read stays as it is."""
    try:
        return read_telephone(kept).e164
    except Unreadable:
        return kept


def write_telephone(e164: str) -> str:
    """As people here write it: `01632 960001`, `+33 6 12 34 56 78`. What was kept in another form stays as it is."""
    number, _, extension = e164.partition(";ext=")
    try:
        found = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return e164
    at_home = found.country_code == phonenumbers.country_code_for_region(HOME)
    form = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    written = phonenumbers.format_number(found, form)
    return f"{written} ext. {extension}" if extension else written


def _split(typed: str) -> tuple[str, str]:
    """The number and its extension. Raises Unreadable where there is anything else, such as letters for digits."""
    number, extension = typed, ""
    if found := re.search(f"{_EXTENSION.pattern}$", typed, re.IGNORECASE):
        number, extension = typed[: found.start()], found[1]
    if not _TYPED.fullmatch(number) or not any(map(str.isdecimal, number)):
        raise Unreadable(Fault.TELEPHONE)
    return number, extension


def _parsed(number: str) -> phonenumbers.PhoneNumber:
    try:
        found = phonenumbers.parse(number, HOME)
    except phonenumbers.NumberParseException as error:
        short = {phonenumbers.NumberParseException.TOO_SHORT_NSN, phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD}
        if error.error_type in short:
            raise Unreadable(Fault.TELEPHONE_SHORT) from None
        long = error.error_type == phonenumbers.NumberParseException.TOO_LONG
        raise Unreadable(Fault.TELEPHONE_LONG if long else Fault.TELEPHONE) from None
    digits = "".join(str(unicodedata.decimal(sign)) for sign in number if sign.isdecimal())
    if not digits.endswith(phonenumbers.national_significant_number(found)):
        raise Unreadable(Fault.TELEPHONE)  # a digit was moved or left out, as some countries' own spelling has it
    return found


def _is_in_use(found: phonenumbers.PhoneNumber) -> bool:
    return (
        phonenumbers.is_valid_number(found) or _is_drama(found, _DRAMA_MOBILE) or _is_drama(found, _DRAMA_LINE)
    )  # fmt: skip


def _is_drama(found: phonenumbers.PhoneNumber, numbers: re.Pattern[str]) -> bool:
    national = phonenumbers.national_significant_number(found)
    return found.country_code == 44 and numbers.fullmatch(national) is not None


def _what_is_wrong_with(found: phonenumbers.PhoneNumber) -> Fault:
    match phonenumbers.is_possible_number_with_reason(found):
        case ValidationResult.TOO_LONG:
            return Fault.TELEPHONE_LONG
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return Fault.TELEPHONE_SHORT
        case _:
            return Fault.TELEPHONE_UNKNOWN
