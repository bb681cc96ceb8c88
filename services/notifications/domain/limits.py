"""How many messages somebody gets in a while, and when the office gets those that can wait."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Limit:
    """At most so many messages in any while of this length."""

    messages: int
    within: timedelta


def next_free_moment(*, sent: Collection[datetime], ahead: int, limits: Sequence[Limit], at: datetime) -> datetime:
    """`at` itself if one more message may go, otherwise when it may.

    `sent` are the moments of earlier ones, and so many `ahead` of it are about to go.
    """
    free = at
    for limit in limits:
        counted = sorted(sent) + [at] * ahead
        too_many = len(counted) + 1 - limit.messages
        if too_many > 0:
            free = max(free, counted[too_many - 1] + limit.within)
    return free


def next_digest(times: Collection[time], *, at: datetime) -> datetime:
    """The next of these times of day in London, after `at`; in UTC."""
    today = at.astimezone(LONDON).date()
    moments = (datetime.combine(day, one, tzinfo=LONDON) for day in (today, today + timedelta(days=1)) for one in times)
    return min(moment for moment in moments if moment > at).astimezone(UTC)
