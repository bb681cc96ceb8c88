"""The independent witness: plain pika, a durable queue of its own on what the probe says, and a count of what came."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import suppress

import pika
from pika.exceptions import AMQPError

QUEUE = "reader"
IDLE_SECONDS = 0.1
LOST = (AMQPError, OSError)


class Reader:
    """What was heard, by run and number: how often each message id came."""

    def __init__(self, amqp_uri: str) -> None:
        self.amqp_uri = amqp_uri
        self.heard: dict[str, dict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self._connection: pika.BlockingConnection | None = None
        self._listen()

    def collect(self) -> None:
        """Takes in what waits, until nothing has come for a moment. A broker that is away has nothing to say."""
        try:
            self._take(self._connected())
        except LOST:
            self.close()

    def close(self) -> None:
        if self._connection:
            with suppress(*LOST):
                self._connection.close()
        self._connection = None

    def _listen(self) -> None:
        channel = self._connected().channel()
        channel.exchange_declare("probe.events", "topic", durable=True)
        channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(QUEUE, "probe.events", "#")
        channel.close()

    def _connected(self) -> pika.BlockingConnection:
        if self._connection is None or self._connection.is_closed:
            self._connection = pika.BlockingConnection(pika.URLParameters(self.amqp_uri))
        return self._connection

    def _take(self, connection: pika.BlockingConnection) -> None:
        channel = connection.channel()
        for method, properties, body in channel.consume(QUEUE, inactivity_timeout=IDLE_SECONDS):
            if method is None:
                break
            self._note(str(properties.message_id), json.loads(body), again=method.redelivered)
            channel.basic_ack(method.delivery_tag)
        channel.cancel()
        channel.close()

    def _note(self, message_id: str, data: dict[str, object], *, again: bool) -> None:
        ids = self.heard[str(data["run"])][int(str(data["number"]))]
        if not (again and message_id in ids):  # what our own lost connection brings again was not said again
            ids[message_id] += 1
