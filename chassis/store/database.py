"""A service's database: opens units of work on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, delete

from chassis.clock import Clock
from chassis.store.fastpath.bulk import Statements
from chassis.store.outbox import Outbox
from chassis.store.session import UnitSession
from chassis.store.tables import chassis_tables
from chassis.store.unit_of_work import StoreUnit

ANSWERS_KEPT = timedelta(days=1)
"""How long a command that is sent again is known. Its token is good for a minute; a person tries again for longer."""


class Database:
    """One service's store."""

    def __init__(self, *, service: str, engine: Engine, metadata: MetaData, clock: Clock, dependencies: Any) -> None:
        self.service = service
        self.engine = engine
        self.clock = clock
        self.tables = chassis_tables(metadata)
        self.outbox = Outbox(self.tables.outbox, engine, self.begin, clock)
        self._upkeep = engine.execution_options(upkeep=True)
        self._statements = Statements(engine.dialect.name)
        self._dependencies = dependencies
        self.turn = threading.Lock()
        # SQLite allows one writer at a time and makes the others wait in C, where no other greenlet can run.
        self._upkeep_turn = self.turn if engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction for the chassis's own upkeep, which may be lost with the machine, because it is repeated."""
        with self._upkeep_turn, self._upkeep.begin() as connection:
            yield connection

    @contextmanager
    def unit(self, then: Callable[[StoreUnit], None] = lambda unit: None) -> Iterator[StoreUnit]:
        """A unit of work: committed if the block ends without an error, rolled back otherwise.

        `then` is called as soon as it is committed. A process has one unit at a time: two would only wait for each
        other's rows.
        """
        with self.turn, UnitSession(self.engine, self._statements) as session:
            unit = self._unit_on(session)
            yield unit
            unit.finish()
            then(unit)

    @contextmanager
    def reading(self) -> Iterator[StoreUnit]:
        """A unit for reading only; nothing is committed. It holds no lock that a writer would wait for."""
        with UnitSession(self.engine.execution_options(read_only=True), self._statements) as session:
            yield self._unit_on(session)

    def purge_answers(self) -> None:
        """Deletes the answers to commands that nobody sends again any more: they are older than ANSWERS_KEPT."""
        received, before = self.tables.received_command, self.clock.now() - ANSWERS_KEPT
        with self.begin() as connection:
            connection.execute(delete(received).where(received.c.received_at < before))

    def purge_inbox(self, retention_days: int) -> None:
        """Deletes inbox entries older than this. A message that was handled before then must not be delivered again."""
        inbox, before = self.tables.inbox, self.clock.now() - timedelta(days=retention_days)
        with self.begin() as connection:
            connection.execute(delete(inbox).where(inbox.c.handled_at < before))

    def _unit_on(self, session: UnitSession) -> StoreUnit:
        return StoreUnit(
            service=self.service,
            dependencies=self._dependencies,
            clock=self.clock,
            now=self.clock.now(),
            session=session,
            tables=self.tables,
            outbox=self.outbox,
            statements=self._statements,
        )
