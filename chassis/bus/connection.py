"""An AMQP connection without an event loop: it reads and writes only when its owner calls `drain`.

The protocol is pika's, the input and output are ours. pika's own adapters run an event loop and write frame by frame;
`drain` suits a thread that also has other things to do, and writes frames together. Deliveries are assembled by
`chassis.bus.frames`, where no message can break the connection.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import amqp.exceptions
import kombu.exceptions
import pika
from kombu.utils.url import parse_url
from pika.connection import Connection
from pika.exceptions import AMQPError, ChannelWrongStateError
from pika.frame import Body, Header, Method
from pika.spec import FRAME_END_SIZE, FRAME_HEADER_SIZE, Basic

from chassis.bus.frames import FRAME, FRAME_END_BYTES, Deliveries, Take
from chassis.bus.messages import MAX_MESSAGE_BYTES, Outgoing

CONNECT_TIMEOUT_SECONDS = 10
ANSWER_TIMEOUT_SECONDS = 15
CLOSE_TIMEOUT_SECONDS = 2
READ_BYTES = 16_384
PERSISTENT = 2
LOST = (OSError, AMQPError, amqp.exceptions.AMQPError, kombu.exceptions.OperationalError)
"""What a connection, pika's or kombu's, raises when it is cut, blocked for too long, or closed by the broker."""

_BROKEN_VERSIONS = {"3.13.0", "3.13.1", "3.13.2"}


class UnsafeBroker(Exception):
    """This version of RabbitMQ loses messages."""


@dataclass(eq=False)
class _Timer:
    due: float
    callback: Callable[[], object]


class BusConnection(Connection):  # type: ignore[misc]
    """A connection for one owner at a time. Its methods raise one of LOST once it is of no more use."""

    def __init__(self, parameters: pika.ConnectionParameters, *, write_timeout: float, max_message_bytes: int) -> None:
        self.user: str = parameters.credentials.username
        self._received = b""
        self._unsent: list[bytes] = []
        self._timers: list[_Timer] = []
        self._ended: list[Any] = []
        self._is_ready = False
        self._lost: Exception | None = None
        self._deliveries = Deliveries(max_message_bytes)
        self._write_timeout = write_timeout
        super().__init__(parameters, self._on_ready, self._on_lost, self._on_lost, internal_connection_workflow=False)
        self._socket = _connect(parameters)
        self._on_stream_connected()
        self._drain_until(lambda: self._is_ready)
        self._max_piece_bytes: int = self.params.frame_max - FRAME_HEADER_SIZE - FRAME_END_SIZE

    def drain(self, timeout: float, *, receive: bool = True) -> bool:
        """Sends what is buffered, waits up to `timeout` seconds for the broker, and processes what it sent.

        Returns True if there may be more to read at once. Heartbeats are sent and checked here too: call it at least
        twice in a heartbeat interval. Without `receive` for longer than two intervals the broker counts as gone.
        """
        self.flush()
        data = self._receive(timeout) if receive else b""
        if data:
            self._on_data_available(data)
        self._run_timers()
        if self._lost:
            raise self._lost
        return len(data) == READ_BYTES

    def flush(self) -> None:
        """Sends what is buffered."""
        if self._unsent:
            data = b"".join(self._unsent)
            self._unsent.clear()
            self._socket.settimeout(self._write_timeout)
            self._socket.sendall(data)

    def ask(self, question: Callable[[Callable[..., None]], object]) -> Any:
        """Asks the broker something that is answered through a callback, and returns the answer."""
        answers: list[Any] = []
        question(answers.append)
        self._drain_until(lambda: bool(answers))
        return answers[0]

    def open_channel(self, on_close: Callable[[Exception], object] | None = None) -> Any:
        """A `pika.channel.Channel`. If the broker closes it, `on_close` is called with the reason; without an
        `on_close` the whole connection is given up."""
        notify = on_close or self.give_up
        channel = self.ask(lambda opened: self.channel(on_open_callback=opened))
        channel.add_on_close_callback(lambda closed, reason: None if closed in self._ended else notify(reason))
        return channel

    def close_channel(self, channel: Any) -> None:
        """Closes a channel; what was delivered there and not settled goes back to the broker."""
        self._ended.append(channel)
        channel.close()
        self._drain_until(lambda: bool(channel.is_closed))

    def consume(self, channel: Any, queue: str, take: Take, *, auto_ack: bool = False) -> None:
        """Calls `take` with every message that the queue delivers to this channel."""

        def begin(done: Callable[..., None]) -> None:
            tag = channel.basic_consume(queue, lambda *_: None, auto_ack=auto_ack, callback=done)
            self._deliveries.consume(tag, take)

        self.ask(begin)

    def publish(self, channel: Any, message: Outgoing) -> None:
        """Writes a message, mandatory and persistent, to be sent by the next `flush` or `drain`.

        It carries this connection's user name, which the broker checks. The frames are pika's; pika's channel would
        take twice as long, because it marshals the method anew for each message.
        """
        if not channel.is_open:
            raise ChannelWrongStateError("the channel is closed")
        properties = pika.BasicProperties(
            content_type=message.content_type,
            content_encoding="utf-8",
            headers=message.headers,
            delivery_mode=PERSISTENT,
            correlation_id=message.correlation_id,
            message_id=message.message_id or None,
            timestamp=message.timestamp,
            user_id=self.user,
        )
        number = channel.channel_number
        body = message.body.encode() if isinstance(message.body, str) else message.body
        self._unsent += (
            _publish_method(number, message.exchange, message.routing_key),
            Header(number, len(body), properties).marshal(),
        )
        for begin in range(0, len(body), self._max_piece_bytes):
            self._unsent.append(Body(number, body[begin : begin + self._max_piece_bytes]).marshal())

    def give_up(self, reason: Exception) -> None:
        """Makes the next `drain` raise this, unless an earlier reason was given."""
        self._lost = self._lost or reason

    def end(self) -> None:
        """Closes it, with AMQP's handshake if that is possible. What is delivered meanwhile goes back to the broker."""
        self._deliveries.forget_consumers()
        with suppress(*LOST):
            if self.is_open:
                self.close()
                self._drain_until(lambda: self.is_closed, CLOSE_TIMEOUT_SECONDS)
        self._socket.close()

    def _drain_until(self, done: Callable[[], bool], timeout: float = ANSWER_TIMEOUT_SECONDS) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("the broker doesn't answer")
            self.drain(remaining)

    def _receive(self, timeout: float) -> bytes:
        if timeout and self._timers:
            next_due = min(timer.due for timer in self._timers) - time.monotonic()
            timeout = max(0.0, min(timeout, next_due))
        self._socket.settimeout(timeout)
        try:
            data = self._socket.recv(READ_BYTES)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return b""
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        return data

    def _run_timers(self) -> None:
        now = time.monotonic()
        for timer in [timer for timer in self._timers if timer.due <= now]:
            self._timers.remove(timer)
            timer.callback()

    def _on_ready(self, connection: Connection) -> None:
        self._is_ready = True

    def _on_lost(self, connection: Connection, reason: Exception) -> None:
        self.give_up(reason)

    def _on_data_available(self, data: bytes) -> None:
        """Does what pika does, frame by frame, but takes deliveries to `consume` out for `Deliveries`."""
        buffer = self._received + data
        at, held = 0, len(buffer)
        try:
            while at + FRAME.size <= held:
                kind, channel, size = FRAME.unpack_from(buffer, at)
                begin = at + FRAME.size
                next_ = begin + size + FRAME_END_BYTES
                if next_ > held:
                    break
                at, frame = next_, at
                if self._deliveries.takes(kind, channel, buffer, begin, next_ - FRAME_END_BYTES):
                    self.bytes_received += next_ - frame
                else:
                    super()._on_data_available(buffer[frame:next_])
        finally:
            self._received = buffer[at:]

    # The methods that pika requires of an adapter.

    def _adapter_emit_data(self, data: bytes) -> None:
        self._unsent.append(data)

    def _adapter_call_later(self, delay: float, callback: Callable[[], object]) -> _Timer:
        timer = _Timer(time.monotonic() + delay, callback)
        self._timers.append(timer)
        return timer

    def _adapter_remove_timeout(self, timeout_id: _Timer) -> None:
        with suppress(ValueError):
            self._timers.remove(timeout_id)

    def _adapter_disconnect_stream(self) -> None:
        self._socket.close()
        self._on_stream_terminated(None)

    def _adapter_connect_stream(self) -> None:
        raise NotImplementedError("connected by its constructor")

    def _adapter_add_callback_threadsafe(self, callback: Callable[[], object]) -> None:
        raise NotImplementedError("it has one owner")

    @classmethod
    def create_connection(cls, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError("use open_connection")


def open_connection(
    amqp_uri: str, *, name: str, heartbeat_seconds: int, max_message_bytes: int = MAX_MESSAGE_BYTES
) -> BusConnection:
    """An open connection whose name a person sees in RabbitMQ's console. Raises one of LOST."""
    url: dict[str, Any] = parse_url(amqp_uri)
    host = url["hostname"] or "localhost"
    secure = url["transport"] == "amqps"
    parameters = pika.ConnectionParameters(
        host=host,
        port=url["port"] or (5671 if secure else 5672),
        virtual_host=url["virtual_host"] or "/",
        credentials=pika.PlainCredentials(user_of(amqp_uri), url["password"] or "guest"),
        ssl_options=pika.SSLOptions(ssl.create_default_context(), host) if secure else None,
        heartbeat=heartbeat_seconds,
        client_properties={"connection_name": name},
    )
    connection = BusConnection(parameters, write_timeout=heartbeat_seconds * 2, max_message_bytes=max_message_bytes)
    _refuse_broken_version(connection)
    return connection


@lru_cache(maxsize=1_024)
def _publish_method(channel: int, exchange: str, routing_key: str) -> bytes:
    """Cached, because a service publishes to few exchanges and routing keys, again and again."""
    marshalled: bytes = Method(
        channel, Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=True)
    ).marshal()
    return marshalled


def user_of(amqp_uri: str) -> str:
    """The broker user that it logs in as."""
    return str(parse_url(amqp_uri)["userid"] or "guest")


def backoff_seconds() -> Iterator[float]:
    """How long to wait before each next attempt to connect."""
    delay = 0.2
    while True:
        yield delay
        delay = min(delay * 2, 10.0)


def close_quietly(connection: BusConnection | None) -> None:
    """Closes a connection that may be broken already."""
    if connection is not None:
        connection.end()


def _connect(parameters: pika.ConnectionParameters) -> socket.socket:
    plain = socket.create_connection((parameters.host, parameters.port), CONNECT_TIMEOUT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    options = parameters.ssl_options
    if options is None:
        return plain
    return options.context.wrap_socket(plain, server_hostname=options.server_hostname)  # type: ignore[no-any-return]


def _refuse_broken_version(connection: BusConnection) -> None:
    version = connection.server_properties.get("version", "")
    if version in _BROKEN_VERSIONS:
        connection.end()
        raise UnsafeBroker(f"RabbitMQ {version} drops messages (fixed in 3.13.3). Please upgrade the broker first.")
