"""Clients of the bus as anybody could write them: plain pika, with nothing of ours."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import pika
from pika.exceptions import ChannelClosedByBroker

DEADLINE_SECONDS = 30.0
logging.getLogger("pika").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Heard:
    """A message as an outside consumer sees it."""

    exchange: str
    name: str
    data: dict[str, Any]
    headers: dict[str, Any]
    message_id: str | None
    body: bytes
    content_type: str | None

    @property
    def subject(self) -> str:
        return str(self.headers.get("cloudEvents_subject"))


class Tap:
    """Listens to whole exchanges from the moment it is opened, and keeps all it heard."""

    def __init__(self, amqp_uri: str, publishers: Iterable[str]) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        for publisher in publishers:
            exchange = f"{publisher}.events"
            self._channel.exchange_declare(exchange, "topic", durable=True)
            self._channel.queue_bind(self._queue, exchange, "#")
        self.heard: list[Heard] = []

    def hear_commands(self) -> None:
        """Hears from now on every command, and every answer to one."""
        self._channel.queue_bind(self._queue, "nameko-rpc", "#")

    def wait_for(
        self, name: str, matches: Callable[[Heard], bool] = lambda heard: True, deadline: float = DEADLINE_SECONDS
    ) -> Heard:
        """The first message of this name that matches, heard before or within the deadline. Fails the test if none."""
        until = time.monotonic() + deadline
        checked = 0
        while True:
            for heard in self.heard[checked:]:
                if heard.name == name and matches(heard):
                    return heard
            checked = len(self.heard)
            assert time.monotonic() < until, f"no such {name} within {deadline:g} s; last heard {self.names()[-30:]}"
            self.listen(0.2)

    def listen(self, seconds: float) -> None:
        """Takes in what arrives, until nothing has for so long."""
        for method, properties, body in self._channel.consume(self._queue, auto_ack=True, inactivity_timeout=seconds):
            if method is None:
                return
            self.heard.append(
                Heard(
                    exchange=method.exchange,
                    name=method.routing_key,
                    data=json.loads(body),
                    headers=properties.headers or {},
                    message_id=properties.message_id,
                    body=body,
                    content_type=properties.content_type,
                )
            )

    def names(self) -> list[str]:
        return [heard.name for heard in self.heard]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()


class Sender:
    """Publishes raw messages, each confirmed."""

    def __init__(self, amqp_uri: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def send(
        self,
        exchange: str,
        routing_key: str,
        body: bytes | dict[str, Any],
        *,
        message_id: str | None = None,
        headers: dict[str, Any] | None = None,
        content_type: str | None = "application/json",
    ) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        properties = pika.BasicProperties(
            message_id=message_id, headers=headers, content_type=content_type, delivery_mode=2
        )
        self._channel.basic_publish(exchange, routing_key, raw, properties)

    def depth(self, queue: str) -> int:
        return int(self._channel.queue_declare(queue, passive=True).method.message_count)

    def consumers(self, queue: str) -> int:
        """How many consumers a queue has; 0 if it isn't there."""
        channel = self._connection.channel()
        try:
            return int(channel.queue_declare(queue, passive=True).method.consumer_count)
        except ChannelClosedByBroker:
            return 0

    def take(self, queue: str) -> tuple[dict[str, Any], bytes] | None:
        """Removes the first message of a queue and returns its headers and body."""
        method, properties, body = self._channel.basic_get(queue, auto_ack=True)
        return None if method is None else (properties.headers or {}, body)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()


def eventually(condition: Callable[[], Any], what: str, deadline: float = DEADLINE_SECONDS) -> Any:
    """The first true answer of `condition`; fails the test if there is none within the deadline."""
    until = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < until, f"not within {deadline:g} s: {what}"
        time.sleep(0.05)
