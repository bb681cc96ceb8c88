"""Calendar days as the charity counts them: in London."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from contracts.london import LONDON, day_of

__all__ = ["day_of", "end_of", "start_of", "year_after"]


def start_of(day: date) -> datetime:
    """The moment a day begins in London, in UTC."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The moment a day is over in London, in UTC."""
    return start_of(day + timedelta(days=1))


def year_after(day: date) -> date:
    """The same day of the next year; 1 March after a 29 February."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 3, 1)
