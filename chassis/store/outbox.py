"""The outbox: the events of committed units of work, until the broker has confirmed them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Connection, Engine, Row, Select, Table, or_, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.store.fastpath import bulk

TAKE_OVER_AFTER = timedelta(seconds=5)
"""A row older than this belongs to a replica that has died or lost its connection, and is published by another one."""

WORTH_A_STATEMENT = 48
"""With fewer confirmed rows to delete, a unit of work leaves them to a later one, or to the relay."""

WORTH_TIDYING = 24
"""From this many confirmed rows on, the relay deletes them as soon as it is idle, when no message has to wait for it.
From WORTH_A_STATEMENT on it leaves them to the next unit of work, which comes soon and deletes them at no cost."""

COLUMNS = {
    "id": "uuid",
    "exchange": "text",
    "routing_key": "text",
    "headers": "json",
    "body": "text",
    "created_at": "timestamptz",
}
"""The table's columns, with PostgreSQL's names of their types."""

Begin = Callable[[], AbstractContextManager[Connection]]


class Waiting(NamedTuple):
    """A row of the outbox: an event that is committed and not yet confirmed by the broker."""

    id: UUID
    exchange: str
    routing_key: str
    headers: dict[str, Any]
    body: str
    created_at: datetime


def outbox_rows(waiting: Sequence[Waiting]) -> bulk.Rows:
    """The rows to insert for a unit's events, which were all created at the same time."""
    at = bulk.moment(waiting[0].created_at) if waiting else ""
    rows = [
        (row.id.hex, row.exchange, row.routing_key, orjson.dumps(row.headers).decode(), row.body, at) for row in waiting
    ]
    return bulk.Rows("outbox", COLUMNS, rows)


class Outbox:
    """One service's outbox.

    Rows that the broker has confirmed are deleted by the next unit of work, in its own transaction, or by the relay
    when none comes soon.
    """

    def __init__(self, table: Table, engine: Engine, begin: Begin, clock: Clock) -> None:
        self._table = table
        self._engine = engine
        self._begin = begin
        self._clock = clock
        self._shared = engine.dialect.name == "postgresql"
        self._statements = bulk.Statements(engine.dialect.name)
        self._taken: frozenset[UUID] = frozenset()

    @property
    def undeleted(self) -> int:
        """How many rows are confirmed and still in the table."""
        return len(self._taken)

    @property
    def is_worth_tidying(self) -> bool:
        return WORTH_TIDYING <= len(self._taken) < WORTH_A_STATEMENT

    def may_be_taken_over(self, row: Waiting) -> bool:
        """Whether a row is so old that another replica may have published it."""
        return self._shared and self._clock.now() - row.created_at > TAKE_OVER_AFTER

    def taken(self, ids: Iterable[UUID]) -> None:
        """Notes that the broker has confirmed these rows."""
        self._taken |= frozenset(ids)

    def delete_many_taken(self, transaction: Session) -> frozenset[UUID]:
        """Does `delete_taken` if there are enough rows to be worth a statement."""
        return self.delete_taken(transaction) if len(self._taken) >= WORTH_A_STATEMENT else frozenset()

    def delete_taken(self, transaction: Session | Connection) -> frozenset[UUID]:
        """Deletes confirmed rows and returns their ids; call `forget` with these once the transaction is committed."""
        taken = self._taken
        if taken:
            self._statements.remove(transaction, taken)
        return taken

    def forget(self, deleted: frozenset[UUID]) -> None:
        self._taken -= deleted

    def clear(self) -> None:
        """Deletes confirmed rows in a transaction of its own, if no unit of work has done so."""
        if self._taken:
            with self._begin() as connection:
                deleted = self.delete_taken(connection)
            self.forget(deleted)

    @contextmanager
    def left_behind(self, limit: int) -> Iterator[list[Waiting]]:
        """The oldest rows that no live replica is publishing. Within the block, publish them and call `taken`.

        On PostgreSQL the rows are locked until the block ends, so that another replica gets others. A database on
        SQLite belongs to one process, which must not hold its only write lock while it waits for the network.
        """
        if self._shared:
            with self._begin() as connection:
                yield _read(connection, self._oldest(limit).with_for_update(skip_locked=True))
                deleted = self.delete_taken(connection)
            self.forget(deleted)
        else:
            with self._engine.connect().execution_options(read_only=True) as connection:
                rows = _read(connection, self._oldest(limit))
            yield rows
            self.clear()

    def _oldest(self, limit: int) -> Select[Any]:
        oldest = select(self._table).order_by(self._table.c.id).limit(limit)
        if not self._shared:
            return oldest
        now, created_at = self._clock.now(), self._table.c.created_at
        # A row from the future was written before the clock was set back.
        return oldest.where(or_(created_at < now - TAKE_OVER_AFTER, created_at > now + TAKE_OVER_AFTER))


def _read(connection: Connection, wanted: Select[Any]) -> list[Waiting]:
    return [_waiting(row) for row in connection.execute(wanted)]


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(row.id, row.exchange, row.routing_key, row.headers, row.body, row.created_at)
