"""Publishing with batched confirms: stream a batch, then wait until the broker has taken responsibility for it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pika
from pika.spec import Basic

from chassis.bus.connection import LOST, BusConnection
from chassis.bus.messages import Outgoing

CONFIRM_TIMEOUT_SECONDS = 15


class NotConfirmed(OSError):
    """The broker refused a message or didn't answer in time: publish it again."""


@dataclass(frozen=True)
class Published:
    """The result of publishing a batch: the messages that the broker confirmed and those it refused, and the ids of
    those that reached no queue."""

    taken: list[Outgoing]
    refused: list[Outgoing]
    unroutable: frozenset[str]


class ConfirmingPublisher:
    """Publishes on a channel of its own. Everything is persistent and mandatory."""

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection
        self._channel = connection.open_channel()
        self._last_tag = 0
        self._unanswered: dict[int, Outgoing] = {}
        self._batch: list[Outgoing] = []
        self._refused: list[Outgoing] = []
        self._returned: set[str] = set()
        self._channel.add_on_return_callback(self._on_return)
        connection.ask(lambda done: self._channel.confirm_delivery(self._on_answer, callback=done))

    def publish(self, messages: Iterable[Outgoing]) -> Published:
        """Publishes messages, and returns once each is confirmed or refused. Raises NotConfirmed, or one of LOST."""
        self.send(messages)
        return self.answers()

    def send(self, messages: Iterable[Outgoing]) -> None:
        """Sends messages without waiting for the broker; `answers` returns the result. Raises one of LOST."""
        self._refused, self._returned, self._batch = [], set(), list(messages)
        try:
            for message in self._batch:
                self._last_tag += 1
                self._unanswered[self._last_tag] = message
                self._connection.publish(self._channel, message)
            self._connection.flush()
        except LOST as error:
            self._connection.give_up(error)
            raise

    def answers(self) -> Published:
        """Waits until each message of the last `send` is confirmed or refused. Raises NotConfirmed, or one of LOST."""
        self._wait_for_answers()
        refused = {id(message) for message in self._refused}
        taken = [message for message in self._batch if id(message) not in refused] if refused else self._batch
        return Published(taken, self._refused, frozenset(self._returned))

    def _wait_for_answers(self) -> None:
        deadline = time.monotonic() + CONFIRM_TIMEOUT_SECONDS
        while self._unanswered:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NotConfirmed(f"{len(self._unanswered)} messages were not confirmed in time")
            self._connection.drain(remaining)

    def _on_answer(self, frame: Any) -> None:
        answer = frame.method
        answered = self._settle(answer.delivery_tag, answer.multiple)
        if isinstance(answer, Basic.Nack):
            self._refused += answered

    def _on_return(self, channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._returned.add(properties.message_id or "")

    def _settle(self, tag: int, multiple: bool) -> list[Outgoing]:
        """Removes the answered messages. The broker may answer tags in any order, but they are stored in ascending
        order, so `multiple` takes from the front."""
        if not multiple:
            message = self._unanswered.pop(tag, None)
            return [message] if message else []
        answered = []
        while self._unanswered and (first := next(iter(self._unanswered))) <= tag:
            answered.append(self._unanswered.pop(first))
        return answered
