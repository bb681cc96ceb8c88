"""How a client may be reached without coming to harm. Checked for every message, whatever caused it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from contracts.london import LONDON
from contracts.sealed import SafeChannel, SafeContact, SafeHours
from contracts.vocabulary import Channel

WINDOWS = {
    SafeHours.MORNING: (time(9), time(12)),
    SafeHours.AFTERNOON: (time(12), time(17)),
    SafeHours.EVENING: (time(17), time(20)),
}
"""The hours that the form offers, in London time, without the end."""

CHANNELS = {SafeChannel.EMAIL: Channel.EMAIL, SafeChannel.TEXT: Channel.TEXT, SafeChannel.POST: Channel.LETTER}
"""What is sent automatically. Everything else is done by people."""


@dataclass(frozen=True)
class QuietHours:
    """When nobody is disturbed who has named no hours of their own; London time, over midnight if it ends earlier."""

    begin: time
    end: time

    def covers(self, moment: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


@dataclass(frozen=True)
class WriteNow:
    """A message may go at this moment, by this channel, to this address or number."""

    channel: Channel
    to: str


@dataclass(frozen=True)
class WriteLater:
    """A message may go, but not before `at`."""

    channel: Channel
    at: datetime


@dataclass(frozen=True)
class AskStaff:
    """A person of the charity telephones or writes."""

    channel: Channel = Channel.STAFF_CALL


@dataclass(frozen=True)
class WaitForCall:
    """Nothing is sent: the client calls us, and is told then."""

    channel: Channel = Channel.STAFF_CALL


@dataclass(frozen=True)
class NoAddress:
    """The client chose a channel and gave no address for it."""

    channel: Channel


Way = WriteNow | WriteLater | AskStaff | WaitForCall | NoAddress


def way_to_reach(
    *, contact: SafeContact, at: datetime, quiet: QuietHours | None = None, by_hand: Set[Channel] = frozenset()
) -> Way:
    """What may be done at this moment to reach a client who gave this safe contact.

    `by_hand` are the channels that people of the charity serve themselves.
    """
    if contact.channel is SafeChannel.CLIENT_CALLS:
        return WaitForCall()
    channel = CHANNELS.get(contact.channel)
    if channel is None or channel in by_hand:
        return AskStaff()
    to = {Channel.EMAIL: contact.email, Channel.TEXT: contact.telephone, Channel.LETTER: contact.address}[channel]
    if not to:
        return NoAddress(channel)
    safe = (
        at if channel is Channel.LETTER else next_safe_moment(hours=contact.hours or SafeHours.ANY, at=at, quiet=quiet)
    )
    return WriteNow(channel, to) if safe <= at else WriteLater(channel, safe)


def next_safe_moment(*, hours: SafeHours, at: datetime, quiet: QuietHours | None = None) -> datetime:
    """`at` itself if it is within safe hours, otherwise when they next begin; in UTC.

    Quiet hours are for those who named no hours of their own.
    """
    local = at.astimezone(LONDON)
    if hours is SafeHours.ANY:
        if quiet is None or not quiet.covers(local.time()):
            return at
        return _next(local, quiet.end)
    begin, end = WINDOWS[hours]
    return at if begin <= local.time() < end else _next(local, begin)


def _next(local: datetime, begin: time) -> datetime:
    day = local.date() if local.time() < begin else local.date() + timedelta(days=1)
    return datetime.combine(day, begin, tzinfo=LONDON).astimezone(UTC)
