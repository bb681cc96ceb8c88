"""Where a message that couldn't be handled goes: into a retry queue, or to the dead letters, always with its story.

What the broker writes about dead-lettering (`x-death…`) is stripped and attempts are counted in headers of our own:
RabbitMQ 3.10 was seen to hold a message for ever after two hops, and 4.x ignores what a client sends in `x-death`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chassis.bus.connection import BusConnection
from chassis.bus.delivery import ORIGIN_EXCHANGE, ORIGIN_ROUTING_KEY, Delivery
from chassis.bus.publisher import ConfirmingPublisher, NotConfirmed
from chassis.bus.settlement import Fate, Settled
from chassis.bus.topology import DEAD
from chassis.bus.wire import Outgoing
from chassis.clock import Clock
from chassis.logs import describe
from chassis.ports import Invalid

ATTEMPTS = "leeward_attempts"
WAITS = "leeward_waits"
FIRST_FAILED_AT = "leeward_first_failed_at"
REASON = "leeward_reason"
ERROR = "leeward_error"
DIGEST = "leeward_digest"
LANE = "leeward_lane"

FAILURE_DELAYS = ("5s", "30s", "2m", "10m", "1h", "1h", "1h", "1h")
"""Before each next attempt; after the last the message is parked."""

WAIT_DELAYS = ("1s", "1s", "1s", "5s", "5s", "30s", "2m", "10m", "1h")
"""Before each next look for an earlier fact; the last repeats."""

LONGEST_WAIT = timedelta(days=3)
"""After which a fact that something waits for is taken to be lost, and a person is asked."""


class Forwarder:
    """Sends on what couldn't be handled. It opens its channel when there is first something to send: a connection that
    has published is one that RabbitMQ stops reading from, acknowledgements included, when it is short of memory."""

    def __init__(self, connection: BusConnection, *, service: str, lane: str, clock: Clock) -> None:
        self._connection = connection
        self._service, self._lane = service, lane
        self._clock = clock
        self._publisher: ConfirmingPublisher | None = None

    def forward(self, failed: list[Settled]) -> None:
        """Returns once the broker has taken all of it. Raises NotConfirmed, or one of LOST."""
        if not failed:
            return
        self._publisher = self._publisher or ConfirmingPublisher(self._connection)
        now = self._clock.now()
        published = self._publisher.publish(
            forwarded(one, service=self._service, lane=self._lane, now=now) for one in failed
        )
        if published.refused or published.unroutable:
            raise NotConfirmed(f"{self._service}.retry has no queue, or no room, for a message")


def forwarded(settled: Settled, *, service: str, lane: str, now: datetime) -> Outgoing:
    """The message to publish in place of a delivery whose fate is not DONE."""
    delivery = settled.delivery
    headers = _own_headers(delivery, lane)
    headers.setdefault(FIRST_FAILED_AT, now.isoformat())
    delay = _next_delay(settled.fate, headers, now)
    if delay is None:
        headers |= _reason(settled)
    return Outgoing(
        exchange=f"{service}.retry",
        routing_key=f"{lane}.{delay}" if delay else DEAD,
        body=delivery.body,
        headers=headers,
        content_type=delivery.content_type or "application/json",
        message_id=delivery.message_id or "",
    )


def _next_delay(fate: Fate, headers: dict[str, Any], now: datetime) -> str | None:
    """The delay before the next try, after counting this one; None when there is none left."""
    if fate is Fate.LATER:
        headers[WAITS] = waits = int(headers.get(WAITS, 0)) + 1
        if now - datetime.fromisoformat(headers[FIRST_FAILED_AT]) > LONGEST_WAIT:
            return None
        return WAIT_DELAYS[min(waits, len(WAIT_DELAYS)) - 1]
    headers[ATTEMPTS] = attempts = int(headers.get(ATTEMPTS, 0)) + 1
    if fate is Fate.PARK or attempts > len(FAILURE_DELAYS):
        return None
    return FAILURE_DELAYS[attempts - 1]


def _own_headers(delivery: Delivery, lane: str) -> dict[str, Any]:
    kept: Mapping[str, Any] = {name: value for name, value in delivery.headers.items() if not name.startswith("x-")}
    origin = {ORIGIN_EXCHANGE: delivery.exchange, ORIGIN_ROUTING_KEY: delivery.routing_key, LANE: lane}
    return {**kept, **origin}


def _reason(settled: Settled) -> dict[str, Any]:
    error = settled.error or Exception()
    described = describe(error)
    # Only an Invalid's own words are safe to repeat; another error's message may hold what somebody wrote.
    reason = str(error) if isinstance(error, Invalid) else f"{described['error']} at {described['at']}"
    return {REASON: reason, ERROR: described["error"], DIGEST: described["digest"]}
