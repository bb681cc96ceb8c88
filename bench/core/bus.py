"""The harness's own connection: fills queues with confirms in windows, reads depths, empties queues."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlparse

import amqp

WINDOW = 500
DEADLINE_SECONDS = 300.0
HEARTBEAT_SECONDS = 0
"""None: the harness is busy or asleep for longer than any heartbeat, and it runs on the broker's own machine."""

ATTENDANCE_ID = re.compile(rb'"attendance_id"\s*:\s*"([0-9a-f-]{36})"')


class TooSlow(Exception):
    """Something did not happen within its deadline; the message says what."""


@dataclass(frozen=True)
class Message:
    """A message as it is put on the wire."""

    exchange: str
    routing_key: str
    body: bytes
    properties: dict[str, Any] = field(default_factory=dict)


class Bus:
    """A connection to the broker, and one channel."""

    def __init__(self, amqp_uri: str) -> None:
        self._amqp_uri = amqp_uri
        self._connection = _connect(amqp_uri)
        self._channel = self._connection.channel()
        self._confirming = self._connection.channel()
        self._confirming.confirm_select()
        self._confirming.events["basic_ack"].add(self._on_ack)
        self._unconfirmed: set[int] = set()
        self._tag = 0
        self._open_looking()

    def close(self) -> None:
        for connection in (self._connection, self._looking):
            with suppress(OSError, amqp.AMQPError):
                connection.close()

    def publish(self, messages: Iterable[Message]) -> None:
        """Publishes persistently, and returns when the broker has confirmed all of it."""
        for message in messages:
            content = amqp.Message(message.body, **{"delivery_mode": 2, **message.properties})
            self._confirming.basic_publish(content, exchange=message.exchange, routing_key=message.routing_key)
            self._tag += 1
            self._unconfirmed.add(self._tag)
            while len(self._unconfirmed) >= WINDOW:
                self._connection.drain_events(timeout=DEADLINE_SECONDS)
        while self._unconfirmed:
            self._connection.drain_events(timeout=DEADLINE_SECONDS)

    def make_queue(self, name: str, *, exchange: str = "", routing_key: str = "") -> None:
        """A durable quorum queue, bound to an exchange if one is named."""
        self._channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        if exchange:
            self._channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
            self._channel.queue_bind(name, exchange, routing_key)

    def delete_queue(self, name: str) -> None:
        self._channel.queue_delete(name)

    def purge(self, name: str) -> None:
        self._channel.queue_purge(name)

    def depth(self, queue: str) -> int:
        """Messages that wait in a queue and are with no consumer; 0 if it isn't there."""
        return self._look(queue)[0]

    def consumers(self, queue: str) -> int:
        """How many consumers a queue has; 0 if it isn't there."""
        return self._look(queue)[1]

    def take_all(self, queue: str, count: int) -> list[str]:
        """Takes so many messages, or a few more if more arrive meanwhile; returns the attendance that each is about."""
        found: list[str] = []

        def on_message(message: amqp.Message) -> None:
            found.append(attendance_of(message))

        tag = self.listen(queue, on_message)
        while len(found) < count:
            self._connection.drain_events(timeout=DEADLINE_SECONDS)
        self.stop_listening(tag)
        return found

    def send(self, message: Message) -> None:
        """Publishes persistently and waits for nothing."""
        content = amqp.Message(message.body, **{"delivery_mode": 2, **message.properties})
        self._channel.basic_publish(content, exchange=message.exchange, routing_key=message.routing_key)

    def listen(self, queue: str, on_message: Callable[[amqp.Message], None]) -> str:
        """Has `on_message` called, from within `pump`, for whatever arrives; returns what `stop_listening` takes."""
        tag: str = self._channel.basic_consume(queue, no_ack=True, callback=on_message)
        return tag

    def stop_listening(self, tag: str) -> None:
        self._channel.basic_cancel(tag)

    def pump(self, seconds: float) -> None:
        """Lets what has arrived be heard, and waits for more for so long at most."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=left)

    def _open_looking(self) -> None:
        # A connection of its own: looking for a queue that isn't there costs the channel, and its number with it.
        self._looking = _connect(self._amqp_uri)
        self._looker = self._looking.channel()

    def _look(self, queue: str) -> tuple[int, int]:
        try:
            declared = self._looker.queue_declare(queue, passive=True)
        except amqp.NotFound:
            self._looking.close()
            self._open_looking()
            return 0, 0
        return declared.message_count, declared.consumer_count

    def _on_ack(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._unconfirmed = {one for one in self._unconfirmed if one > tag}
        else:
            self._unconfirmed.discard(tag)


def attendance_of(message: amqp.Message) -> str:
    """The attendance that a message of whatever contestant is about; empty if it doesn't say."""
    body = message.body if isinstance(message.body, bytes) else message.body.encode()
    match = ATTENDANCE_ID.search(body)
    return match[1].decode() if match else ""


def _connect(amqp_uri: str) -> amqp.Connection:
    uri = urlparse(amqp_uri)
    connection = amqp.Connection(
        host=f"{uri.hostname}:{uri.port}",
        userid=unquote(uri.username or ""),
        password=unquote(uri.password or ""),
        virtual_host=unquote(uri.path[1:]),
        heartbeat=HEARTBEAT_SECONDS,
    )
    connection.connect()
    return connection


@contextmanager
def connected(amqp_uri: str) -> Iterator[Bus]:
    """A bus for as long as the block runs."""
    bus = Bus(amqp_uri)
    try:
        yield bus
    finally:
        bus.close()


def wait_for(condition: Callable[[], bool], what: str, *, every: float = 0.01, within: float = 120.0) -> float:
    """The moment (of time.monotonic) at which a condition was first seen to hold. Raises TooSlow."""
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            raise TooSlow(f"not within {within:g} s: {what}")
        time.sleep(every)
    return time.monotonic()
