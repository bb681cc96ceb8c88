"""Every event there is: importing this module has imported them all."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.event import Event, all_events
from contracts.events import billing, evaluation, intake, matching, notifications, web

PUBLISHERS = {
    module.__name__.rsplit(".", 1)[-1]: module for module in (web, intake, matching, billing, notifications, evaluation)
}
"""The publishers, in the order in which a referral meets them, and the module of each one's events."""


def events() -> Iterator[type[Event]]:
    """Every event, by publisher and then in the order in which it was written down."""
    order = list(PUBLISHERS)
    yield from sorted(all_events(), key=lambda event: (order.index(event.publisher), _line(event)))


def _line(event: type[Event]) -> int:
    return list(vars(PUBLISHERS[event.publisher])).index(event.__name__)
