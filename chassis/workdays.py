"""Working days of the charity: Monday to Friday without the public holidays of England and Wales."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

LONDON = ZoneInfo("Europe/London")


@cache
def _public_holidays() -> holidays.HolidayBase:
    return holidays.country_holidays("GB", subdiv="ENG")


def is_working_day(at: datetime) -> bool:
    """Whether the moment falls on a working day in London."""
    day = at.astimezone(LONDON).date()
    return day.weekday() < 5 and day not in _public_holidays()


def add_working_days(at: datetime, days: int) -> datetime:
    """The same time of day in London, `days` working days later, in UTC. A weekend's request counts from Monday."""
    moment = at.astimezone(LONDON)
    while days:
        moment += timedelta(days=1)
        if is_working_day(moment):
            days -= 1
    return moment.astimezone(UTC)
