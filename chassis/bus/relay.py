"""The relay: publishes what committed units of work have put into the outbox, in order, and removes it when confirmed.

Killed anywhere it resumes: a row leaves the outbox only after the broker's confirm. At worst a row is published twice,
which the readers' inboxes absorb.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import amqp
import structlog
from sqlalchemy import Connection, Engine, Row, Table, delete, select
from sqlalchemy.exc import DBAPIError

from chassis.bus.connection import LOST, backoff_seconds, close_quietly, keep_alive, open_connection
from chassis.bus.publisher import ConfirmingPublisher, Outgoing
from chassis.logs import describe

WINDOW = 200
"""Rows published before their confirms are waited for; the most duplicates that a kill can put on the wire."""

IDLE_SECONDS = 1.0
DRAIN_SECONDS = 10.0

log = structlog.get_logger()


class Relay:
    """Moves one service's outbox to the broker, from its own thread and over its own connection."""

    def __init__(self, *, service: str, engine: Engine, outbox: Table, amqp_uri: str, heartbeat_seconds: int) -> None:
        self._service = service
        self._engine = engine
        self._outbox = outbox
        self._amqp_uri = amqp_uri
        self._heartbeat_seconds = heartbeat_seconds
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self.unroutable = 0

    def wake(self) -> None:
        """Says that there is something to publish."""
        self._wake.set()

    def stop(self) -> None:
        """Publishes what is there, if the broker takes it, and ends."""
        self._stopping.set()
        self._wake.set()
        self._stopped.wait(DRAIN_SECONDS)

    def run(self) -> None:
        delays = backoff_seconds()
        while True:
            connection = None
            try:
                connection = open_connection(
                    self._amqp_uri, name=f"{self._service} relay", heartbeat_seconds=self._heartbeat_seconds
                )
                delays = backoff_seconds()
                self._serve(connection)
            except (*LOST, DBAPIError) as error:
                log.warning("relay_interrupted", **describe(error))
            finally:
                close_quietly(connection)
            if self._stopping.is_set():
                self._stopped.set()
                return
            self._stopping.wait(next(delays))

    def _serve(self, connection: amqp.Connection) -> None:
        publisher = ConfirmingPublisher(connection)
        while True:
            self._wake.clear()
            while self._publish_some(publisher):
                keep_alive(connection)
            if self._stopping.is_set():
                return
            self._wake.wait(IDLE_SECONDS)
            keep_alive(connection)

    def _publish_some(self, publisher: ConfirmingPublisher) -> bool:
        with self._claimed() as rows:
            if rows:
                published = publisher.publish(_outgoing(row) for row in rows)
                self.unroutable += len(published.unroutable)
        return len(rows) == WINDOW

    @contextmanager
    def _claimed(self) -> Iterator[list[Row[Any]]]:
        """The oldest rows, which are deleted if the block ends without an error.

        On PostgreSQL the rows stay locked meanwhile, so that another replica takes others. SQLite has one process a
        database, and must not hold its only write lock while the network is waited for.
        """
        oldest = select(self._outbox).order_by(self._outbox.c.id).limit(WINDOW)
        if self._engine.dialect.name == "postgresql":
            with self._engine.begin() as connection:
                rows = list(connection.execute(oldest.with_for_update(skip_locked=True)))
                yield rows
                self._delete(connection, rows)
        else:
            with self._engine.connect().execution_options(read_only=True) as connection:
                rows = list(connection.execute(oldest))
            yield rows
            with self._engine.begin() as connection:
                self._delete(connection, rows)

    def _delete(self, connection: Connection, rows: list[Row[Any]]) -> None:
        if rows:
            connection.execute(delete(self._outbox).where(self._outbox.c.id.in_([row.id for row in rows])))


def _outgoing(row: Row[Any]) -> Outgoing:
    return Outgoing(
        exchange=row.exchange,
        routing_key=row.routing_key,
        body=row.body,
        properties={
            "message_id": str(row.id),
            "content_type": "application/json",
            "content_encoding": "utf-8",
            "timestamp": int(row.created_at.timestamp()),
            "application_headers": row.headers,
        },
    )
