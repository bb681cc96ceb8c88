"""A client for the services' commands, in nameko's RPC wire format.

Nameko's own client waits for ever when an answer doesn't come, and its reply queue is gone after five minutes without
a connection. Here every call has a timeout, after which the request is also dropped from the service's queue, so that
it isn't carried out when nobody waits for it any more; and errors keep their names.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import orjson
import pika

from chassis.access.tokens import HEADER
from chassis.bus.connection import LOST, BusConnection, close_quietly, open_connection
from chassis.bus.messages import Incoming
from chassis.bus.topology import COMMANDS, answers_of, commands_of

HEARTBEAT_SECONDS = 20
DEFAULT_TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1_048_576
Sign = Callable[[str, str, Mapping[str, Any], UUID | None], str]
"""Makes the token for a service, a command, its fields and its id; see `chassis.access.tokens.Signer`."""

NOBODY_LISTENS: dict[str, Any] = {}
"""Used as the reply to a request that reached no queue."""


class NoAnswer(Exception):
    """The service is not there, or took too long. Whether the command was carried out is not known."""


class CommandFailed(Exception):
    """The service refused the command or failed; `name` is the name of its error, such as `NoRoom`,
    and `details` what it says besides."""

    def __init__(self, name: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message, self.details = name, message, details or {}


class RpcClient:
    """Calls commands, one at a time. Opens its connection when it needs one, and again after it was lost.

    `front_end` names the broker user whose command exchange it uses; without one it is the exchange of staff's clients.
    `sign` vouches for the person who gives the commands; without it only what needs nobody is answered.
    """

    def __init__(self, amqp_uri: str, front_end: str | None = None, *, sign: Sign | None = None) -> None:
        self._amqp_uri, self._sign = amqp_uri, sign
        self._commands = commands_of(front_end) if front_end else COMMANDS
        self._answers = answers_of(front_end) if front_end else COMMANDS
        self._waited_for: str | None = None
        self._connection: BusConnection | None = None
        self._last_used = 0.0

    def call(
        self,
        service: str,
        method: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        sign: Sign | None = None,
        command_id: UUID | None = None,
        **fields: Any,
    ) -> Any:
        """The command's answer. Raises CommandFailed, or NoAnswer.

        After NoAnswer the same `command_id` asks again, and what was carried out is not done twice. `sign` goes before
        the client's own.
        """
        fields = json.loads(json.dumps(fields, default=_as_json))
        headers = self._headers(sign or self._sign, service, method, fields, command_id)
        self._waited_for = correlation_id = str(uuid4())
        try:
            self._ensure_connected()
            self._send(f"{service}.{method}", fields, headers, correlation_id, timeout)
            reply = self._wait_for(time.monotonic() + timeout)
        except LOST as error:
            self.close()
            raise NoAnswer(f"lost the broker while asking {service} to {method}") from error
        if reply is None:
            raise NoAnswer(f"{service} did not answer {method} within {timeout:g} s")
        if reply is NOBODY_LISTENS:
            raise NoAnswer(f"no service {service} has ever been started on this broker")
        if reply.get("error"):
            raise _failure(reply["error"])
        return reply.get("result")

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
        self._connection = open_connection(
            self._amqp_uri,
            name="rpc client",
            heartbeat_seconds=HEARTBEAT_SECONDS,
            max_message_bytes=MAX_ANSWER_BYTES,
        )
        ask, channel = self._connection.ask, self._connection.open_channel()
        declared = ask(lambda done: channel.queue_declare("", exclusive=True, auto_delete=True, callback=done))
        queue, self._reply_to = declared.method.queue, str(uuid4())
        ask(lambda done: channel.queue_bind(queue, self._answers, self._reply_to, callback=done))
        channel.add_on_return_callback(self._on_return)
        self._connection.consume(channel, queue, self._on_reply, auto_ack=True)
        self._channel = channel
        self._reply: dict[str, Any] | None = None

    @staticmethod
    def _headers(
        sign: Sign | None, service: str, method: str, fields: dict[str, Any], command_id: UUID | None
    ) -> dict[str, Any]:
        return {} if sign is None else {HEADER: sign(service, method, fields, command_id)}

    def _send(
        self, routing_key: str, fields: dict[str, Any], headers: dict[str, Any], correlation_id: str, timeout: float
    ) -> None:
        properties = pika.BasicProperties(
            content_type="application/json",
            content_encoding="utf-8",
            headers=headers,
            reply_to=self._reply_to,
            correlation_id=correlation_id,
            expiration=str(int(timeout * 1000)),
        )
        body = json.dumps({"args": [], "kwargs": fields})
        self._reply = None
        self._channel.basic_publish(self._commands, routing_key, body, properties, mandatory=True)
        self._last_used = time.monotonic()

    def _wait_for(self, deadline: float) -> dict[str, Any] | None:
        assert self._connection is not None
        while self._reply is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            self._connection.drain(remaining)
        return self._reply

    def _on_reply(self, message: Incoming) -> None:
        """Takes the answer to the current call. Ignores answers to earlier calls, and those that can't be read."""
        if message.correlation_id != self._waited_for:
            return
        try:
            reply = orjson.loads(message.body)
        except ValueError:
            return
        if isinstance(reply, dict):
            self._reply = reply

    def _on_return(self, channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        if properties.correlation_id == self._waited_for:
            self._reply = NOBODY_LISTENS


def _failure(error: Mapping[str, Any]) -> CommandFailed:
    arguments = error.get("exc_args") or []
    details = arguments[1] if len(arguments) == 2 and isinstance(arguments[1], dict) else None
    return CommandFailed(str(error["exc_type"]), str(error["value"]), details)


def _as_json(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat()
