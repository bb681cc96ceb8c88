"""Returns messages to their lane that the broker removed from it only because they were delivered too often.

A few crashes with a prefetched backlog use up a healthy message's delivery limit, so each is put back into its lane
once. The broker can't do that alone: it holds a message for ever that would return to the queue it was dead-lettered
from (seen on 3.10.8). So it is published again, without the headers that the broker added.

Messages that the service rejected, because they couldn't be read, go on to the dead letters.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from chassis.bus.connection import BusConnection
from chassis.bus.failure_history import DIGEST, ERROR, REASON, History, history_of, published_again
from chassis.bus.messages import Incoming, Outgoing
from chassis.bus.publisher import ConfirmingPublisher, NotConfirmed
from chassis.bus.serving import stay_connected
from chassis.bus.topology import DEAD, LIMIT, RETURN
from chassis.clock import Clock

AT_ONCE = 20
"""Few at a time, because one of them may be what kills the service."""

IDLE_SECONDS = 1.0

PUT_BACK_DELAY = "30s"
TWICE = "handed out too often, twice; it may be what brings the service down"
UNKNOWN_ORIGIN = (
    "handed out too often, and nothing the broker has checked says who published it; have it published again"
)

log = structlog.get_logger()


class Returns:
    """Empties `<service>.limit` as it fills, over a connection of its own.

    A message leaves the queue only when its new copy is confirmed; the inbox drops duplicates that come of this.
    """

    def __init__(
        self,
        *,
        service: str,
        connect: Callable[[], BusConnection],
        clock: Clock,
        one_user_each: bool,
    ) -> None:
        self._service, self._connect, self._clock = service, connect, clock
        self._one_user_each = one_user_each
        self._stopping = threading.Event()

    def run(self) -> None:
        stay_connected(self._connect, self._serve, stopping=self._stopping, name=LIMIT)

    def stop(self) -> None:
        self._stopping.set()

    def _serve(self, connection: BusConnection) -> None:
        channel, publisher = connection.open_channel(), ConfirmingPublisher(connection)
        channel.basic_qos(prefetch_count=AT_ONCE)
        arrived: deque[Incoming] = deque()
        connection.consume(channel, f"{self._service}.{LIMIT}", arrived.append)
        trusted_user = connection.user if self._one_user_each else None
        while not self._stopping.is_set():
            connection.drain(IDLE_SECONDS)
            done: Counter[str] = Counter()
            while arrived:
                is_back = self._put_back(channel, publisher, arrived.popleft(), trusted_user)
                done["put_back_after_delivery_limit" if is_back else "parked_after_delivery_limit"] += 1
            for what, count in done.items():
                log.warning(what, messages=count)

    def _put_back(
        self, channel: Any, publisher: ConfirmingPublisher, message: Incoming, trusted_user: str | None
    ) -> bool:
        """Puts a message back into its lane, or among the dead letters. True if it went into its lane."""
        if message.defect:
            channel.basic_reject(message.delivery_tag, requeue=False)
            return False
        copy = _republished(message, self._service, self._clock.now(), trusted_user=trusted_user)
        _publish(publisher, copy)
        channel.basic_ack(message.delivery_tag)
        return copy.routing_key != DEAD


def _publish(publisher: ConfirmingPublisher, message: Outgoing) -> None:
    published = publisher.publish([message])
    if published.refused or published.unroutable:
        raise NotConfirmed(f"{message.exchange} takes nothing under {message.routing_key} just now")


def _republished(message: Incoming, service: str, now: datetime, *, trusted_user: str | None) -> Outgoing:
    lane = message.routing_key.removesuffix(f".{LIMIT}")
    history, key = _history(message, service, lane, trusted_user), f"{lane}.{PUT_BACK_DELAY}"
    failure: dict[str, Any] = {}
    if history is None or history.put_back:
        key, failure = DEAD, _parked(UNKNOWN_ORIGIN if history is None else TWICE)
    history = history or History("", "")
    history = history._replace(put_back=history.put_back + 1, first_failed_at=history.first_failed_at or now)
    return published_again(message, history, exchange=f"{service}.retry", routing_key=key, lane=lane, why=failure)


def _parked(reason: str) -> dict[str, str]:
    return {REASON: reason, ERROR: "DeliveryLimit", DIGEST: "deliverylimit"}


def _history(message: Incoming, service: str, lane: str, trusted_user: str | None) -> History | None:
    """The message's origin and history; None if the origin can't be trusted.

    RabbitMQ gives the origin in `x-death`, which on 3.10 a publisher can forge. So where every service has a broker
    user of its own, `x-death` must agree with the message's user, which the broker has checked. A message from our own
    return exchange, which was retried before, has its history in our own headers.
    """
    death = _death(message.headers, f"{service}.{lane}")
    exchange, routing_key = _first(death, "exchange"), _first(death, "routing-keys")
    if exchange == f"{service}.{RETURN}":
        is_ours = trusted_user in (None, message.user_id)
        return history_of(message.headers) if is_ours else None
    if trusted_user is not None and exchange != f"{message.user_id}.events":
        return None
    return History(exchange, routing_key, message.user_id)


def _death(headers: Mapping[Any, Any], queue: str) -> Mapping[Any, Any]:
    """The entry of `x-death` for this queue; empty if there is none."""
    deaths = headers.get("x-death")
    if not isinstance(deaths, list):
        return {}
    return next((death for death in deaths if isinstance(death, dict) and death.get("queue") == queue), {})


def _first(death: Mapping[Any, Any], name: str) -> str:
    value = death.get(name)
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, str) else ""
