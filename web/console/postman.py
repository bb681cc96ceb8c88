"""Sends the console's events: the chassis's relay, in a thread of the console's own process.

A database on SQLite belongs to one process (`chassis.store.outbox`), so the relay runs where the outbox is written.
"""

from __future__ import annotations

import threading

from chassis.bus.relay import Relay
from chassis.store.database import Database
from chassis.store.unit_of_work import StoreUnit

HEARTBEAT_SECONDS = 20


class Postman:
    """Sends what was committed, at once or as soon as the broker is there."""

    def __init__(self, database: Database, amqp_uri: str) -> None:
        self._relay = Relay(
            service=database.service,
            outbox=database.outbox,
            amqp_uri=amqp_uri,
            heartbeat_seconds=HEARTBEAT_SECONDS,
        )
        self._thread = threading.Thread(target=self._relay.run, name="relay", daemon=True)
        self._is_started = False

    def start(self) -> None:
        self._is_started = True
        self._thread.start()

    def committed(self, unit: StoreUnit) -> None:
        if unit.committed and self._is_started:
            self._relay.take(unit.committed)

    def stop(self) -> None:
        """Sends what waits, as far as the broker takes it; the rest waits in the outbox."""
        self._relay.stop()
