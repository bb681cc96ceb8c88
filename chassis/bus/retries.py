"""Where a message that couldn't be handled goes: to a retry queue, or to the dead letters, always with its history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chassis.bus.connection import BusConnection
from chassis.bus.failure_history import DIGEST, ERROR, REASON, History, published_again
from chassis.bus.messages import Outgoing
from chassis.bus.publisher import ConfirmingPublisher, NotConfirmed
from chassis.bus.settlement import Fate, Settled
from chassis.bus.topology import DEAD
from chassis.clock import Clock
from chassis.observability.logs import describe
from chassis.ports import Invalid

FAILURE_DELAYS = ("5s", "30s", "2m", "10m", "1h", "1h", "1h", "1h")
"""The delay before each next attempt; after the last the message becomes a dead letter."""

WAIT_DELAYS = ("1s", "1s", "1s", "5s", "5s", "30s", "2m", "10m", "1h")
"""The delay before each next attempt of a handler that raised NotYet; the last repeats."""

MAX_REASON_CHARACTERS = 2_000
"""Because headers must fit into one frame, and an invalid list of a thousand items may have a thousand errors."""

LONGEST_WAIT = timedelta(days=3)
"""After this, the event that a message waits for is taken to be lost, and the message becomes a dead letter."""


class Forwarder:
    """Publishes messages that couldn't be handled to a retry queue or the dead letters.

    It opens its channel only when there is something to send: when RabbitMQ is short of memory it stops reading from
    connections that have published, and then receives no acknowledgements from them either.
    """

    def __init__(self, connection: BusConnection, *, service: str, lane: str, clock: Clock) -> None:
        self._connection = connection
        self._service, self._lane = service, lane
        self._clock = clock
        self._publisher: ConfirmingPublisher | None = None

    def forward(self, failed: list[Settled]) -> None:
        """Returns once the broker has confirmed all of them. Raises NotConfirmed, or one of LOST."""
        if not failed:
            return
        self._publisher = self._publisher or ConfirmingPublisher(self._connection)
        now = self._clock.now()
        published = self._publisher.publish(
            forwarded(settled, service=self._service, lane=self._lane, now=now) for settled in failed
        )
        if published.refused or published.unroutable:
            raise NotConfirmed(f"{self._service}.retry has no queue, or no room, for a message")


def forwarded(settled: Settled, *, service: str, lane: str, now: datetime) -> Outgoing:
    """The message to publish in place of a delivery whose fate is not DONE."""
    delivery = settled.delivery
    history = _after(settled.fate, delivery.history, now)
    delay = _next_delay(settled.fate, history, now)
    why = {} if delay else _reason(settled)
    return published_again(
        delivery,
        history,
        exchange=f"{service}.retry",
        routing_key=f"{lane}.{delay}" if delay else DEAD,
        lane=lane,
        why=why,
    )


def _after(fate: Fate, history: History, now: datetime) -> History:
    """The history with this failure counted."""
    since = history.first_failed_at or now
    if fate is Fate.LATER:
        return history._replace(first_failed_at=since, waits=history.waits + 1)
    return history._replace(first_failed_at=since, attempts=history.attempts + 1)


def _next_delay(fate: Fate, history: History, now: datetime) -> str | None:
    """The delay before the next try; None when there is none left."""
    if fate is Fate.LATER:
        if history.first_failed_at and now - history.first_failed_at > LONGEST_WAIT:
            return None
        return WAIT_DELAYS[min(history.waits, len(WAIT_DELAYS)) - 1]
    if fate is Fate.PARK or history.attempts > len(FAILURE_DELAYS):
        return None
    return FAILURE_DELAYS[history.attempts - 1]


def _reason(settled: Settled) -> dict[str, Any]:
    error = settled.error or Exception()
    described = describe(error)
    # Only an Invalid's message is safe to repeat; another error's may contain what somebody wrote.
    reason = str(error) if isinstance(error, Invalid) else f"{described['error']} at {described['at']}"
    return {REASON: reason[:MAX_REASON_CHARACTERS], ERROR: described["error"], DIGEST: described["digest"]}
