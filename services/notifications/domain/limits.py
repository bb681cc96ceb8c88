"""How many messages somebody gets in a period, and when the office gets those that can wait."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from contracts.london import LONDON, day_of


@dataclass(frozen=True)
class Limit:
    """At most so many messages in any period of this length."""

    messages: int
    within: timedelta


def next_free_moment(*, sent: Collection[datetime], ahead: int, limits: Sequence[Limit], at: datetime) -> datetime:
    """`at` itself if one more message may go, otherwise when it may.

    `sent` are the times of earlier messages; `ahead` is how many are queued before this one. A time after `at`, from a
    clock that was ahead, counts as `at`.
    """
    free = at
    for limit in limits:
        counted = sorted(min(moment, at) for moment in sent) + [at] * ahead
        too_many = len(counted) + 1 - limit.messages
        if too_many > 0:
            free = max(free, counted[too_many - 1] + limit.within)
    return free


def next_digest(times: Collection[time], *, at: datetime) -> datetime:
    """The next of these times of day in London, after `at`; in UTC."""
    today = day_of(at)
    days = (today, today + timedelta(days=1))
    moments = (datetime.combine(day, hour, tzinfo=LONDON) for day in days for hour in times)
    return min(moment for moment in moments if moment > at).astimezone(UTC)
