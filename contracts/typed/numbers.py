"""Whole numbers, and the limits of texts."""

from __future__ import annotations

import re

from contracts.text import clean, visible
from contracts.typed.faults import Fault, Unreadable

_WHOLE = re.compile(r"([0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.0*)?")
"""Spreadsheet programs write 34 as 34.0, and people 1,000."""


def plain(text: str) -> str:
    """A code or a number as it was typed, without invisible characters and surrounding white space."""
    return visible(clean(text)).strip()


def read_whole(text: str, *, least: int = 0, most: int | None = None) -> int:
    """Raises Unreadable."""
    found = _WHOLE.fullmatch(plain(text))
    if found is None:
        raise Unreadable(Fault.NUMBER)
    number = int(found[1].replace(",", ""))
    if number < least:
        raise Unreadable(Fault.AT_LEAST, least=least)
    if most is not None and number > most:
        raise Unreadable(Fault.AT_MOST, most=most)
    return number


def check_length(text: str, *, most: int | None = None, least: int = 0) -> str:
    """The text, if it has at most so many characters, and at least so many besides white space. Raises Unreadable."""
    if most is not None and len(text) > most:
        raise Unreadable(Fault.TEXT_LONG, most=most, count=len(text))
    count = len("".join(text.split()))
    if count < least:
        raise Unreadable(Fault.TEXT_SHORT, least=least, count=count)
    return text
