"""How a client may be reached without coming to harm by it. The sender asks this, whoever caused the message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.sealed import SafeChannel, SafeHours

LONDON = ZoneInfo("Europe/London")

WINDOWS = {
    SafeHours.MORNING: (time(9), time(12)),
    SafeHours.AFTERNOON: (time(12), time(17)),
    SafeHours.EVENING: (time(17), time(20)),
}
"""The hours that the form offers, in London time; the end no longer belongs to them."""


@dataclass(frozen=True)
class WriteNow:
    """An e-mail may go at this moment."""

    address: str


@dataclass(frozen=True)
class WriteLater:
    """An e-mail may go, but not before `at`."""

    at: datetime


@dataclass(frozen=True)
class AskStaff:
    """A person of the charity telephones or writes a letter."""


@dataclass(frozen=True)
class KeepUntilTheyCall:
    """Nothing goes out: the client calls, and is told then."""


@dataclass(frozen=True)
class NoAddress:
    """The client chose e-mail and gave no address."""


Way = WriteNow | WriteLater | AskStaff | KeepUntilTheyCall | NoAddress


def way_to_reach(*, channel: SafeChannel, hours: SafeHours, email: str | None, at: datetime) -> Way:
    """What may be done at this moment to reach a client who gave this safe contact."""
    if channel is SafeChannel.CLIENT_CALLS:
        return KeepUntilTheyCall()
    if channel is not SafeChannel.EMAIL:
        return AskStaff()
    if not email:
        return NoAddress()
    safe = next_safe_moment(hours=hours, at=at)
    return WriteNow(email) if safe <= at else WriteLater(safe)


def next_safe_moment(*, hours: SafeHours, at: datetime) -> datetime:
    """`at` itself if it is within safe hours, otherwise when they next begin; in UTC."""
    if hours is SafeHours.ANY:
        return at
    begin, end = WINDOWS[hours]
    local = at.astimezone(LONDON)
    if begin <= local.time() < end:
        return at
    day = local.date() if local.time() < begin else local.date() + timedelta(days=1)
    return datetime.combine(day, begin, tzinfo=LONDON).astimezone(UTC)
