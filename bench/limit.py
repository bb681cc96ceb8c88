"""The bare limit: takes messages from one quorum queue and publishes them to another, with nothing in between.

Guarantee: nothing is lost; a message is acknowledged, many at once, when its copy is confirmed. No validation, no
database, no inbox, so duplicates pass. pika's SelectConnection, because its BlockingConnection can only wait for the
confirm of each message before it publishes the next, which is some twenty times slower.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Any

import pika

PREFETCH = 400
ACK_EVERY = 100
QUORUM = {"x-queue-type": "quorum"}


class Forwarder:
    """Consumes on one channel and publishes on the other."""

    def __init__(self, amqp_uri: str) -> None:
        parameters = pika.URLParameters(amqp_uri)
        self._connection = pika.SelectConnection(parameters, on_open_callback=self._on_open)
        self._in_hand: deque[int] = deque()
        self._confirmed = 0
        self._early: set[int] = set()
        self._since_ack = 0
        self._last_settled = 0

    def run(self) -> None:
        self._connection.ioloop.start()

    def _on_open(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._on_publishing)

    def _on_publishing(self, channel: Any) -> None:
        self._publishing = channel
        channel.queue_declare("limit.out", durable=True, arguments=QUORUM)
        channel.confirm_delivery(self._on_confirm, callback=lambda frame: self._open_consuming())

    def _open_consuming(self) -> None:
        self._connection.channel(on_open_callback=self._on_consuming)

    def _on_consuming(self, channel: Any) -> None:
        self._consuming = channel
        channel.queue_declare("limit.in", durable=True, arguments=QUORUM)
        channel.basic_qos(prefetch_count=PREFETCH)
        channel.basic_consume("limit.in", self._on_message)

    def _on_message(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self._in_hand.append(method.delivery_tag)
        self._publishing.basic_publish("", "limit.out", body, properties, mandatory=True)

    def _on_confirm(self, frame: Any) -> None:
        tag, multiple = frame.method.delivery_tag, frame.method.multiple
        self._early.update(range(self._confirmed + 1, tag + 1) if multiple else (tag,))
        while self._confirmed + 1 in self._early:
            self._confirmed += 1
            self._early.discard(self._confirmed)
            self._last_settled = self._in_hand.popleft()
            self._since_ack += 1
        if self._since_ack and (self._since_ack >= ACK_EVERY or not self._in_hand):
            self._consuming.basic_ack(self._last_settled, multiple=True)
            self._since_ack = 0


if __name__ == "__main__":
    Forwarder(os.environ["AMQP_URI"]).run()
