"""Dates and times as people in Britain write them: the day before the month, or ISO 8601, or the month by its name."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from contracts.typed.ages import age_on
from contracts.typed.faults import Fault, Unreadable
from contracts.typed.numbers import plain

FIRST_YEAR, LAST_YEAR = 1900, 2200

_MONTHS = (
    ("january", "ionawr"),
    ("february", "chwefror"),
    ("march", "mawrth", "fawrth"),
    ("april", "ebrill"),
    ("may", "mai", "fai"),
    ("june", "mehefin", "fehefin"),
    ("july", "gorffennaf", "orffennaf"),
    ("august", "awst"),
    ("september", "medi", "fedi"),
    ("october", "hydref"),
    ("november", "tachwedd", "dachwedd"),
    ("december", "rhagfyr", "ragfyr"),
)
"""In English and in Welsh, there also as they sound after `o`. Three letters are enough, which tell them apart."""

_ISO = re.compile(r"(?P<year>[0-9]{4})[/.-](?P<month>[0-9]+)[/.-](?P<day>[0-9]+)")
_BRITISH = re.compile(r"(?P<day>[0-9]+)\s*[/.-]\s*(?P<month>[0-9]+)\s*[/.-]\s*(?P<year>[0-9]+)")
_NAMED = re.compile(
    r"(?P<day>[0-9]+)(st|nd|rd|th|af|ain|eg|fed|il|ydd)?[\s-]+(o\s+|of\s+)?(?P<month>[^\W\d_]+)\.?[\s,-]+(?P<year>[0-9]+)"
)
_NAMED_FIRST = re.compile(r"(?P<month>[^\W\d_]+)\.?\s+(?P<day>[0-9]+)(st|nd|rd|th)?[\s,]+(?P<year>[0-9]+)")
_WITH_TIME = re.compile(r"(?P<day>.*?[0-9])(?:t|,?\s+)(?P<time>[0-9]{1,2}[:.][0-9]{2}.*)")
_TIME = re.compile(
    r"(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<part>\.[0-9]{1,9})?)?\s*(?P<half>am|pm)?"
    r"\s*(?P<offset>z|[+-][0-9]{2}:?[0-9]{2})?"
)


def read_parts(day: str, month: str, year: str) -> date:
    """A date of three fields. Raises Unreadable, which says which of them is wrong."""
    parts = [plain(part) for part in (day, month, year)]
    if not all(parts):
        raise Unreadable(Fault.DATE_PARTS if any(parts) else Fault.DATE)
    return _date(*parts)


def read_day(text: str) -> date:
    """A date in one field. Raises Unreadable, which says which part of it is wrong."""
    typed = plain(text).lower()
    for form in (_ISO, _BRITISH, _NAMED, _NAMED_FIRST):
        if found := form.fullmatch(typed):
            return _date(found["day"], found["month"], found["year"])
    raise Unreadable(Fault.DATE)


def read_moment(text: str, *, zone: tzinfo) -> datetime:
    """A date with or without a time: without one the day begins, without an offset it is told in `zone`.

    Raises Unreadable.
    """
    typed = plain(text).lower()
    found = _WITH_TIME.fullmatch(typed)
    if found is None:
        return datetime.combine(read_day(typed), time(), tzinfo=zone)
    return _at(read_day(found["day"]), found["time"], zone)


def check_past(day: date, *, today: date, least: int | None = None, most: int | None = None) -> date:
    """A day that lies at least and at most so many whole years back. Raises Unreadable."""
    years = age_on(today, born=day)
    if least is not None and years < least:
        raise Unreadable(Fault.YEARS_AGO_LEAST, least=least) if day <= today else Unreadable(Fault.FUTURE)
    if most is not None and years > most:
        raise Unreadable(Fault.YEARS_AGO_MOST, most=most)
    return day


def month_numbered(text: str) -> int | None:
    """From its number or its name, or enough letters of that; None if it is neither."""
    name = text.strip().rstrip(".").casefold()
    if name.isascii() and name.isdigit():
        return int(name) if len(name) <= 2 and 1 <= int(name) <= 12 else None
    if len(name) < 3:
        return None
    found = [number for number, names in enumerate(_MONTHS, start=1) if any(month.startswith(name) for month in names)]
    return found[0] if len(found) == 1 else None


def _date(day: str, month: str, year: str) -> date:
    day = re.sub(r"(?<=[0-9])(st|nd|rd|th)$", "", day.lower())
    number = int(day) if re.fullmatch(r"[0-9]{1,2}", day) else 0
    if not 1 <= number <= 31:
        raise Unreadable(Fault.DAY)
    found = month_numbered(month)
    if found is None:
        raise Unreadable(Fault.MONTH)
    if not re.fullmatch(r"[0-9]{4}", year):
        raise Unreadable(Fault.YEAR)
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise Unreadable(Fault.YEAR_RANGE, first=FIRST_YEAR, last=LAST_YEAR)
    most = monthrange(int(year), found)[1]
    if number > most:
        raise Unreadable(Fault.DAY_OF_MONTH, most=most, month=found, year=int(year))
    return date(int(year), found, number)


def _at(day: date, text: str, zone: tzinfo) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise Unreadable(Fault.TIME)
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            raise Unreadable(Fault.TIME)
        hour = hour % 12 + (12 if found["half"] == "pm" else 0)
    try:
        at = time(hour, minute, second, int((found["part"] or ".")[1:7].ljust(6, "0")))
        return datetime.combine(day, at, tzinfo=_zone(found["offset"]) or zone)
    except ValueError:
        raise Unreadable(Fault.TIME) from None


def _zone(offset: str | None) -> tzinfo | None:
    """Raises ValueError for one that no place has."""
    if not offset:
        return None
    if offset == "z":
        return timezone.utc  # noqa: UP017
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError("no such offset")
    return timezone((-1 if offset[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
