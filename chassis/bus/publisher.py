"""Publishing with batched confirms: stream a batch, then wait until the broker has taken responsibility for it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import amqp

CONFIRM_TIMEOUT_SECONDS = 15


class NotConfirmed(OSError):
    """The broker refused a message or didn't answer in time: connect again and publish again."""


@dataclass(frozen=True)
class Outgoing:
    """One message to be published."""

    exchange: str
    routing_key: str
    body: str | bytes
    properties: dict[str, Any]


@dataclass(frozen=True)
class Published:
    """What came of a batch: how many were taken, and which found no queue, by message id."""

    count: int
    unroutable: frozenset[str]


class ConfirmingPublisher:
    """Publishes on a channel of its own. Everything is persistent and mandatory."""

    def __init__(self, connection: amqp.Connection) -> None:
        self._connection = connection
        self._channel = connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._last_tag = 0
        self._waiting: set[int] = set()
        self._refused = 0
        self._returned: set[str] = set()

    def publish(self, messages: Iterable[Outgoing]) -> Published:
        """Returns once every message is confirmed. Raises NotConfirmed, or what a lost connection raises."""
        self._returned, self._refused, count = set(), 0, 0
        for message in messages:
            self._send(message)
            count += 1
        self._wait_for_confirms()
        if self._refused:
            raise NotConfirmed(f"the broker refused {self._refused} of {count} messages")
        return Published(count, frozenset(self._returned))

    def _send(self, message: Outgoing) -> None:
        self._last_tag += 1
        self._waiting.add(self._last_tag)
        self._channel.basic_publish(
            amqp.Message(message.body, delivery_mode=2, **message.properties),
            exchange=message.exchange,
            routing_key=message.routing_key,
            mandatory=True,
        )

    def _wait_for_confirms(self) -> None:
        deadline = time.monotonic() + CONFIRM_TIMEOUT_SECONDS
        while self._waiting:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NotConfirmed(f"{len(self._waiting)} messages were not confirmed in time")
            try:
                self._connection.drain_events(timeout=remaining)
            except TimeoutError:
                continue

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        self._settled(delivery_tag, multiple)

    def _on_nack(self, delivery_tag: int, multiple: bool, *_: object) -> None:
        self._refused += self._settled(delivery_tag, multiple)

    def _on_return(self, error: Exception, exchange: str, routing_key: str, message: amqp.Message) -> None:
        self._returned.add(message.properties.get("message_id", ""))

    def _settled(self, delivery_tag: int, multiple: bool) -> int:
        tags = {tag for tag in self._waiting if tag <= delivery_tag} if multiple else {delivery_tag} & self._waiting
        self._waiting -= tags
        return len(tags)
