"""Amounts of money, typed in pounds and kept in pence."""

from __future__ import annotations

import re

from contracts.typed.faults import Fault, Unreadable
from contracts.typed.numbers import plain

MOST_PENCE = 99_999_99

_POUNDS = re.compile(r"([0-9]{1,7}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{0,2}))?")
_BEFORE = re.compile(r"£\s*|gbp\s*")
_AFTER = re.compile(r"\s*(gbp|pounds?|quid|punt|punnoedd|o bunnau|o bunnoedd)")
_PENCE_ALONE = re.compile(r"([0-9]{1,5})\s*(p|pence|ceiniog)")
_OTHER_COMMA = re.compile(r"[0-9]*,[0-9,.]*")
_PARTS = re.compile(r"[0-9,]+\.[0-9]{3,}")
_OTHER_CURRENCY = re.compile(r"[€$]|eur|usd|dollar")


def read_pounds(text: str, *, most: int = MOST_PENCE) -> int:
    """The amount in pence, of which there may be so many. Raises Unreadable.

    A comma separates thousands and nothing else: `25,50` is asked again, because it may be meant as either.
    """
    typed = plain(text).lower()
    alone = _PENCE_ALONE.fullmatch(typed)
    pence = int(alone[1]) if alone else _in_pounds(_without_name(typed))
    if pence > most:
        raise Unreadable(Fault.MONEY_MOST, most=most)
    return pence


def write_pounds(pence: int) -> str:
    """As `read_pounds` reads it: `2,550`, `25.50`."""
    pounds, rest = divmod(pence, 100)
    return f"{pounds:,}.{rest:02}" if rest else f"{pounds:,}"


def _without_name(typed: str) -> str:
    """The number, without what says that it is pounds."""
    if before := _BEFORE.match(typed):
        return typed[before.end() :]
    after = re.search(f"{_AFTER.pattern}$", typed)
    return typed[: after.start()] if after else typed


def _in_pounds(number: str) -> int:
    found = _POUNDS.fullmatch(number)
    if found is not None:
        return int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))
    if _OTHER_CURRENCY.search(number):
        raise Unreadable(Fault.MONEY_CURRENCY)
    if _OTHER_COMMA.fullmatch(number):
        raise Unreadable(Fault.MONEY_COMMA)
    raise Unreadable(Fault.MONEY_PARTS if _PARTS.fullmatch(number) else Fault.MONEY)
