"""Converts a spreadsheet's cells into JSON values of `HelpSubmission`, and back.

People type `Yes`, `£40` and `02/02/2026`, and spreadsheet programs turn 34 into 34.0: the readers of `contracts.typed`
accept all of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.london import LONDON
from contracts.typed.ages import read_age
from contracts.typed.dates import read_day, read_moment
from contracts.typed.distances import read_kilometres, write_kilometres
from contracts.typed.emails import read_email
from contracts.typed.money import read_pounds, write_pounds
from contracts.typed.numbers import read_whole
from contracts.typed.postcodes import read_postcode
from contracts.typed.telephones import read_telephone, write_telephone

_TRUE, _FALSE = frozenset({"yes", "y", "true", "1"}), frozenset({"no", "n", "false", "0"})


@dataclass(frozen=True)
class Kind:
    """A kind of cell. `parse` raises Unreadable, which says what is wrong, or ValueError, where `wrong` does.

    Messages never contain the value.
    """

    wrong: str
    parse: Callable[[str], Any]
    write: Callable[[Any], str] = str


def _choice(text: str) -> str:
    """`In person` and `in-person` are `in_person`."""
    return re.sub(r"[\s_-]+", "_", text.lower())


def _yes_or_no(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("neither yes nor no")


def _only_yes(text: str) -> bool:
    if not _yes_or_no(text):
        raise ValueError("no")
    return True


def _moment(text: str) -> str:
    """ISO 8601 in UTC. Without an offset the time is London's; without a time it is midnight there."""
    return read_moment(text, zone=LONDON).astimezone(UTC).isoformat()


def _written_moment(text: str) -> str:
    """Like `2026-02-02T09:00:00Z`."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


TEXT = Kind("has the wrong length", str)
CHOICE = Kind("is none of the values allowed", _choice)
YES_OR_NO = Kind("is neither yes nor no", _yes_or_no, lambda value: "yes" if value else "no")
ONLY_YES = Kind("is not yes, and without it a request can't be taken", _only_yes, YES_OR_NO.write)
AGE = Kind("is not an age in whole years", read_age)
WHOLE = Kind("is not such a number", lambda text: read_whole(text, least=1))
POUNDS = Kind("is not such an amount", read_pounds, write_pounds)
KILOMETRES = Kind("is not such a distance", read_kilometres, write_kilometres)
POSTCODE = Kind("is not a UK postcode", read_postcode)
MOMENT = Kind("is not a date", _moment, _written_moment)
DAY = Kind("is not a date", lambda text: read_day(text).isoformat())
LANGUAGE = Kind("is not a language code", str.lower)
EMAIL = Kind("is not an e-mail address", read_email)
TELEPHONE = Kind("is not a telephone number", lambda text: read_telephone(text).e164, write_telephone)
