"""Days as the charity counts them: ages, terms and dates are London's, while moments are kept in UTC."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def day_of(moment: datetime) -> date:
    """The day in London at an aware moment; in summer that begins an hour before UTC's."""
    return moment.astimezone(LONDON).date()
