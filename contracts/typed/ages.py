"""Ages in whole years, and whether one can go with a date of birth."""

from __future__ import annotations

import re
from datetime import date

from contracts.typed.faults import Fault, Unreadable
from contracts.typed.numbers import plain

MOST_YEARS = 120

_AGE = re.compile(r"([0-9]{1,4})(?:\.0*)?\s*(years?( old| of age)?|yrs?( old)?|y\.?o\.?|oed|(m)?lwydd( oed)?)?")


def read_age(text: str, *, least: int = 0, most: int = MOST_YEARS) -> int:
    """Raises Unreadable."""
    found = _AGE.fullmatch(plain(text).lower())
    if found is None:
        raise Unreadable(Fault.AGE)
    age = int(found[1])
    if age < least:
        raise Unreadable(Fault.AT_LEAST, least=least)
    if age > most:
        raise Unreadable(Fault.AT_MOST, most=most)
    return age


def age_on(day: date, *, born: date) -> int:
    """Whole years that have passed; less than none where the birth is still to come."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def check_age_and_birth(age: int, born: date, *, on: date) -> None:
    """Raises Unreadable where they are more than a year apart: who has a birthday soon counts it already."""
    if abs(age_on(on, born=born) - age) > 1:
        raise Unreadable(Fault.AGE_AND_BIRTH, age=age, year=born.year)
