"""Calendar days, in London."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from contracts.london import LONDON


def start_of(day: date) -> datetime:
    """The first moment of a day in London."""
    return datetime.combine(day, time.min, LONDON).astimezone(UTC)
