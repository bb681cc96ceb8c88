"""The outbox: what committed units of work have to say, until the broker has it."""

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
"""A row that has lain for so long belongs to a replica that has died, or has lost its connection."""

WORTH_A_STATEMENT = 48
"""With fewer rows to delete, a unit of work leaves them to a later one, or to the relay."""

WORTH_TIDYING = 24
"""From so many on the relay deletes them as soon as it has nothing to do, so that no message waits for it; with so many
that they are worth a statement, messages come too fast for that, and the next unit does it at no cost."""

COLUMNS = {
    "id": "uuid",
    "exchange": "text",
    "routing_key": "text",
    "headers": "json",
    "body": "text",
    "created_at": "timestamptz",
}
"""And PostgreSQL's names of their types."""

Begin = Callable[[], AbstractContextManager[Connection]]


class Waiting(NamedTuple):
    """One event that is committed and not yet known to be with the broker."""

    id: UUID
    exchange: str
    routing_key: str
    headers: dict[str, Any]
    body: str
    created_at: datetime


def outbox_rows(waiting: Sequence[Waiting]) -> bulk.Rows:
    """What a unit has to say, all of one moment, to be written in its transaction."""
    at = bulk.moment(waiting[0].created_at) if waiting else ""
    rows = [
        (row.id.hex, row.exchange, row.routing_key, orjson.dumps(row.headers).decode(), row.body, at) for row in waiting
    ]
    return bulk.Rows("outbox", COLUMNS, rows)


class Outbox:
    """One service's outbox.

    What the broker has taken is deleted by the next unit of work, in its own transaction, or after a moment by itself.
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
        """How many rows the broker has that are still in the table."""
        return len(self._taken)

    @property
    def is_worth_tidying(self) -> bool:
        return WORTH_TIDYING <= len(self._taken) < WORTH_A_STATEMENT

    def may_be_taken_over(self, row: Waiting) -> bool:
        """Whether a row has lain for so long that another replica may have published it."""
        return self._shared and self._clock.now() - row.created_at > TAKE_OVER_AFTER

    def taken(self, ids: Iterable[UUID]) -> None:
        """Says that the broker has these."""
        self._taken |= frozenset(ids)

    def delete_many_taken(self, transaction: Session) -> frozenset[UUID]:
        """As `delete_taken`, if there are enough to be worth a statement."""
        return self.delete_taken(transaction) if len(self._taken) >= WORTH_A_STATEMENT else frozenset()

    def delete_taken(self, transaction: Session | Connection) -> frozenset[UUID]:
        """Deletes what the broker has; call `forget` with the answer when that is committed."""
        taken = self._taken
        if taken:
            self._statements.remove(transaction, taken)
        return taken

    def forget(self, deleted: frozenset[UUID]) -> None:
        self._taken -= deleted

    def clear(self) -> None:
        """Deletes what the broker has, if no unit of work has done so meanwhile."""
        if self._taken:
            with self._begin() as connection:
                deleted = self.delete_taken(connection)
            self.forget(deleted)

    @contextmanager
    def left_behind(self, limit: int) -> Iterator[list[Waiting]]:
        """The oldest rows that nobody has in hand; whoever publishes them says so by `taken` within the block.

        On PostgreSQL they stay locked meanwhile, so that another replica takes others. SQLite has one process a
        database, and must not hold its only write lock while the network is waited for.
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
        # A row from the future was written before somebody put the clock back.
        return oldest.where(or_(created_at < now - TAKE_OVER_AFTER, created_at > now + TAKE_OVER_AFTER))


def _read(connection: Connection, wanted: Select[Any]) -> list[Waiting]:
    return [_waiting(row) for row in connection.execute(wanted)]


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(row.id, row.exchange, row.routing_key, row.headers, row.body, row.created_at)
