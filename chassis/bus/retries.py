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
"""Before each next attempt; after the last the message is parked."""

WAIT_DELAYS = ("1s", "1s", "1s", "5s", "5s", "30s", "2m", "10m", "1h")
"""Before each next look for an earlier fact; the last repeats."""

MAX_REASON_CHARACTERS = 2_000
"""A frame has room for so many headers and no more, and a list of a thousand things may be wrong a thousand times."""

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
    """The history with this failure in it."""
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
    # Only an Invalid's own words are safe to repeat; another error's message may hold what somebody wrote.
    reason = str(error) if isinstance(error, Invalid) else f"{described['error']} at {described['at']}"
    return {REASON: reason[:MAX_REASON_CHARACTERS], ERROR: described["error"], DIGEST: described["digest"]}
