"""How what stands in a spreadsheet's cell becomes a value of a shape's JSON, and the other way round.

People type `Yes`, `£40` and `02/02/2026`, and spreadsheet programs turn 34 into 34.0: all that is understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

_TRUE, _FALSE = frozenset({"yes", "y", "true", "1"}), frozenset({"no", "n", "false", "0"})
_WHOLE = re.compile(r"([0-9]{1,9})(\.0*)?")
_POUNDS = re.compile(r"£?\s*(?P<pounds>[0-9]{1,7})(\.(?P<pence>[0-9]{1,2})?)?")
_KILOMETRES = re.compile(r"([0-9]{1,6}(\.[0-9]{1,6})?)\s*(km)?", re.IGNORECASE)
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?([0-9][A-Z]{2})?")
_BRITISH_DATES = ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")


@dataclass(frozen=True)
class Kind:
    """A kind of cell. `parse` raises ValueError or OverflowError for what `wrong` then says; values are never told."""

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


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError("not of this form")
    return found


def _whole(text: str) -> int:
    return int(_matched(_WHOLE, text)[1])


def _pence(text: str) -> int:
    found = _matched(_POUNDS, text)
    return int(found["pounds"]) * 100 + int((found["pence"] or "").ljust(2, "0"))


def _pounds(pence: int) -> str:
    pounds, rest = divmod(pence, 100)
    return f"{pounds}.{rest:02}" if rest else str(pounds)


def _kilometres(text: str) -> float:
    return float(_matched(_KILOMETRES, text)[1])


def _postcode(text: str) -> str:
    """Kept as typed: intake reads it, and knows which exist."""
    _matched(_POSTCODE, "".join(filter(str.isalnum, text)).upper())
    return text


def _moment(text: str) -> str:
    """ISO 8601 in UTC. Without an offset the time is London's, without a time the day begins."""
    moment = _date(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=LONDON)).astimezone(UTC).isoformat()


def _date(text: str) -> datetime:
    for layout in _BRITISH_DATES:
        try:
            return datetime.strptime(text, layout)  # noqa: DTZ007 - the zone is added by whoever calls
        except ValueError:
            continue
    return datetime.fromisoformat(text)


def _written_moment(text: str) -> str:
    """Like `2026-02-02T09:00:00Z`."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


TEXT = Kind("has the wrong length", str)
CHOICE = Kind("is none of the values allowed", _choice)
YES_OR_NO = Kind("is neither yes nor no", _yes_or_no, lambda value: "yes" if value else "no")
ONLY_YES = Kind("is not yes, and without it a request can't be taken", _only_yes, YES_OR_NO.write)
WHOLE = Kind("is not such a number", _whole)
POUNDS = Kind("is not such an amount", _pence, _pounds)
KILOMETRES = Kind("is not such a distance", _kilometres, lambda value: f"{value:g}")
POSTCODE = Kind("is not a UK postcode", _postcode)
MOMENT = Kind("is not a date", _moment, _written_moment)
DAY = Kind("is not a date", lambda text: _date(text).date().isoformat())
LANGUAGE = Kind("is not a language code", str.lower)
EMAIL = Kind("is not an e-mail address", str)
TELEPHONE = Kind("is not a telephone number", str)
