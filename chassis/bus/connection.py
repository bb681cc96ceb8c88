"""Opening an AMQP connection that notices when the other side is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import amqp
from amqp.exceptions import AMQPError
from kombu.utils.url import parse_url

CONNECT_TIMEOUT_SECONDS = 10
LOST = (OSError, AMQPError)
"""What a connection raises when it is cut, blocked for too long, or closed by the broker."""

_BROKEN_VERSIONS = {"3.13.0", "3.13.1", "3.13.2"}


class UnsafeBroker(Exception):
    """This version of RabbitMQ loses messages."""


def open_connection(amqp_uri: str, *, name: str, heartbeat_seconds: int) -> amqp.Connection:
    """A connected `amqp.Connection` whose name a person sees in RabbitMQ's console. Raises one of LOST."""
    url: dict[str, Any] = parse_url(amqp_uri)
    connection = amqp.Connection(
        host=f"{url['hostname'] or 'localhost'}:{url['port'] or 5672}",
        userid=url["userid"] or "guest",
        password=url["password"] or "guest",
        virtual_host=url["virtual_host"] or "/",
        ssl=url["transport"] == "amqps",
        heartbeat=heartbeat_seconds,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=None,
        write_timeout=heartbeat_seconds * 2,
        client_properties={"connection_name": name},
    )
    connection.connect()
    _refuse_broken_version(connection)
    return connection


def backoff_seconds() -> Iterator[float]:
    """How long to wait before each next attempt to connect."""
    delay = 0.2
    while True:
        yield delay
        delay = min(delay * 2, 10.0)


def close_quietly(connection: amqp.Connection | None) -> None:
    """Closes a connection that may be broken already."""
    if connection is not None:
        try:
            connection.close()
        except LOST:
            connection.collect()


def keep_alive(connection: amqp.Connection) -> None:
    """Answers and sends heartbeats, and notices when the connection was closed. Raises one of LOST."""
    with suppress(TimeoutError):
        connection.drain_events(timeout=0)
    connection.heartbeat_tick()


def _refuse_broken_version(connection: amqp.Connection) -> None:
    version = connection.server_properties.get("version", "")
    if version in _BROKEN_VERSIONS:
        connection.close()
        raise UnsafeBroker(f"RabbitMQ {version} drops messages (fixed in 3.13.3). Please upgrade the broker first.")
