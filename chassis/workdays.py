"""Working days of the charity: Monday to Friday without the public holidays of England and Wales."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

import holidays

from contracts.london import LONDON, day_of


@cache
def _public_holidays() -> holidays.HolidayBase:
    return holidays.country_holidays("GB", subdiv="ENG")


def is_bank_holiday(day: date) -> bool:
    """Whether the day is a public holiday of England and Wales."""
    return day in _public_holidays()


def is_working_day(at: datetime) -> bool:
    """Whether the moment falls on a working day in London."""
    day = day_of(at)
    return day.weekday() < 5 and not is_bank_holiday(day)


def add_working_days(at: datetime, days: int) -> datetime:
    """The same time of day in London, `days` working days later, in UTC.

    What begins on a weekend or holiday is counted from the first minute of the next working day, so that nobody has
    less time than somebody who began before.
    """
    moment = at.astimezone(LONDON)
    if not is_working_day(moment):
        moment = _next_working_day(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(days):
        moment = _next_working_day(moment)
    return moment.astimezone(UTC)


def _next_working_day(moment: datetime) -> datetime:
    moment += timedelta(days=1)
    while not is_working_day(moment):
        moment += timedelta(days=1)
    return moment
