"""How far somebody can travel, typed in miles or kilometres and kept in kilometres."""

from __future__ import annotations

import re
from enum import StrEnum

from contracts.typed.faults import Fault, Unreadable
from contracts.typed.numbers import plain

KILOMETRES_PER_MILE = 1.609344
MOST_KILOMETRES = 2_000


class DistanceUnit(StrEnum):
    MILES = "miles"
    KILOMETRES = "kilometres"


_NAMES = {
    DistanceUnit.MILES: frozenset({"mi", "mile", "miles", "milltir", "filltir", "milltiroedd"}),
    DistanceUnit.KILOMETRES: frozenset(
        {"km", "kms", "k.m.", "kilometre", "kilometres", "kilometer", "kilometers", "cilometr", "gilometr", "cilomedr",
         "gilomedr", "cilomedrau"}
    ),
}  # fmt: skip
_DISTANCE = re.compile(r"([0-9]{1,6}|[0-9]{1,3},[0-9]{3})(\.[0-9]{0,6})?\s*([^\W\d_][^\d]*)?")


def read_kilometres(text: str, *, unit: DistanceUnit = DistanceUnit.KILOMETRES, most: float = MOST_KILOMETRES) -> float:
    """Kilometres, to the nearest ten metres. A number alone is in `unit`; one that names its unit is in that one.

    Raises Unreadable.
    """
    found = _DISTANCE.fullmatch(plain(text).lower())
    if found is None:
        raise Unreadable(Fault.DISTANCE)
    named = _unit_of((found[3] or "").strip()) or unit
    number = float(found[1].replace(",", "") + (found[2] or ""))
    kilometres = round(number * (KILOMETRES_PER_MILE if named is DistanceUnit.MILES else 1), 2)
    if kilometres > most:
        raise Unreadable(Fault.DISTANCE_MOST, most=int(most))
    return kilometres


def in_miles(kilometres: float) -> float:
    """To a tenth of a mile, in which nothing that was typed in whole miles is lost."""
    return round(kilometres / KILOMETRES_PER_MILE, 1)


def write_kilometres(kilometres: float) -> str:
    """As `read_kilometres` reads it."""
    return f"{round(kilometres, 2):.10g}"


def _unit_of(name: str) -> DistanceUnit | None:
    if not name:
        return None
    for unit, names in _NAMES.items():
        if name in names or name.removesuffix(".") in names:
            return unit
    raise Unreadable(Fault.DISTANCE_UNIT)
