"""A client for the services' commands, in nameko's RPC wire format.

Nameko's own client waits for ever when an answer doesn't come, and its reply queue is gone after five minutes without
a connection. Here every call has a timeout, after which the request is also dropped from the service's queue, so that
it isn't carried out when nobody waits for it any more; and errors keep their names.
"""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import pika

from chassis.bus.connection import LOST, BusConnection, close_quietly, open_connection

EXCHANGE = "nameko-rpc"
HEARTBEAT_SECONDS = 20
DEFAULT_TIMEOUT_SECONDS = 10.0
NOBODY_LISTENS: dict[str, Any] = {}
"""Stands for the reply to a request that found no queue."""


class NoAnswer(Exception):
    """The service is not there, or took too long. Whether the command was carried out is not known."""


class CommandFailed(Exception):
    """The service refused the command or failed; `name` is the name of its error, such as `NoRoom`."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


class RpcClient:
    """Calls commands, one at a time. Opens its connection when it needs one, and again after it was lost."""

    def __init__(self, amqp_uri: str) -> None:
        self._amqp_uri = amqp_uri
        self._connection: BusConnection | None = None
        self._last_used = 0.0

    def call(self, service: str, method: str, *, timeout: float = DEFAULT_TIMEOUT_SECONDS, **fields: Any) -> Any:
        """The command's answer. Raises CommandFailed, or NoAnswer."""
        correlation_id = str(uuid4())
        try:
            self._ensure_connected()
            self._send(f"{service}.{method}", fields, correlation_id, timeout)
            reply = self._wait_for(correlation_id, time.monotonic() + timeout)
        except LOST as error:
            self.close()
            raise NoAnswer(f"lost the broker while asking {service} to {method}") from error
        if reply is None:
            raise NoAnswer(f"{service} did not answer {method} within {timeout:g} s")
        if reply is NOBODY_LISTENS:
            raise NoAnswer(f"no service {service} has ever been started on this broker")
        if reply["error"]:
            raise CommandFailed(reply["error"]["exc_type"], reply["error"]["value"])
        return reply["result"]

    def close(self) -> None:
        close_quietly(self._connection)
        self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ensure_connected(self) -> None:
        if self._connection is not None and time.monotonic() - self._last_used < HEARTBEAT_SECONDS:
            return
        self.close()  # after so long without a heartbeat the broker will have closed it
        self._connection = open_connection(self._amqp_uri, name="rpc client", heartbeat_seconds=HEARTBEAT_SECONDS)
        ask, channel = self._connection.ask, self._connection.open_channel()
        declared = ask(lambda done: channel.queue_declare("", exclusive=True, auto_delete=True, callback=done))
        queue, self._reply_to = declared.method.queue, str(uuid4())
        ask(lambda done: channel.queue_bind(queue, EXCHANGE, self._reply_to, callback=done))
        channel.add_on_return_callback(self._on_return)
        ask(lambda done: channel.basic_consume(queue, self._on_reply, auto_ack=True, callback=done))
        self._channel = channel
        self._replies: dict[str, dict[str, Any]] = {}

    def _send(self, routing_key: str, fields: dict[str, Any], correlation_id: str, timeout: float) -> None:
        properties = pika.BasicProperties(
            content_type="application/json",
            content_encoding="utf-8",
            reply_to=self._reply_to,
            correlation_id=correlation_id,
            expiration=str(int(timeout * 1000)),
        )
        body = json.dumps({"args": [], "kwargs": fields}, default=_as_json)
        self._channel.basic_publish(EXCHANGE, routing_key, body, properties, mandatory=True)
        self._last_used = time.monotonic()

    def _wait_for(self, correlation_id: str, deadline: float) -> dict[str, Any] | None:
        assert self._connection is not None
        while correlation_id not in self._replies:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            self._connection.drain(remaining)
        return self._replies.pop(correlation_id)

    def _on_reply(self, channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._replies[properties.correlation_id or ""] = json.loads(body)

    def _on_return(self, channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._replies[properties.correlation_id or ""] = NOBODY_LISTENS


def _as_json(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat()
