"""Statements for many rows at once.

PostgreSQL is told them as one JSON parameter: the statement is the same however many rows there are, it is sent once,
and no value is escaped by itself, which is two to three times as fast as a list of parameters. SQLite, which is called
and not talked to, takes lists faster. Identifiers go to both as one JSON array.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    Float,
    Integer,
    String,
    Table,
    Uuid,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from chassis.store.driver import run, run_many
from chassis.store.tables import Instant

Transaction = Session | Connection
Kinds = Mapping[str, str]
TimerRow = tuple[str, str, datetime, Mapping[str, Any]]

_AS_JSON = (Uuid, String, Integer, Float, Boolean, Instant, Date)
"""Types whose values orjson writes as PostgreSQL reads them."""


TIMER_COLUMNS = {"name": "text", "key": "text", "due_at": "timestamptz", "data": "json", "attempts": "integer"}
_MOVING = (
    "ON CONFLICT (name, key) DO UPDATE SET due_at = excluded.due_at, data = excluded.data, attempts = excluded.attempts"
)


def moment(at: datetime) -> str:
    """A moment as SQLite stores it and PostgreSQL, whose session is in UTC, reads it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


class Statements:
    """The chassis's own statements, in one database's dialect, as its driver takes them.

    Rows that two replicas may both want are taken in one order, so that the two can't wait for each other.
    """

    def __init__(self, dialect: str) -> None:
        self._shared = dialect == "postgresql"
        one = "CAST(value AS uuid)" if self._shared else "value"
        each = "json_array_elements_text(CAST(%(ids)s AS json))" if self._shared else "json_each(:ids)"
        at = "%(at)s" if self._shared else ":at"
        self._claim = (
            f"INSERT INTO inbox (message_id, handled_at) SELECT {one}, {at} FROM {each} WHERE true "  # noqa: S608
            "ORDER BY 1 ON CONFLICT DO NOTHING RETURNING message_id"
        )
        self._move_on = (
            f"INSERT INTO subject_sequence (subject_id, last) SELECT {one}, count(*) FROM {each} WHERE true "  # noqa: S608
            "GROUP BY 1 ORDER BY 1 ON CONFLICT (subject_id) "
            "DO UPDATE SET last = subject_sequence.last + excluded.last RETURNING subject_id, last"
        )
        self._remove = f"DELETE FROM outbox WHERE id IN (SELECT {one} FROM {each})"  # noqa: S608

    def claim(self, transaction: Transaction, message_ids: Collection[UUID], at: datetime) -> set[str]:
        """Puts ids into the inbox, and returns as hex those that were not there."""
        found = run(_connection(transaction), self._claim, {"ids": _ids(message_ids), "at": moment(at)})
        return {_hex_of(id_) for (id_,) in found}

    def move_on(self, transaction: Transaction, subjects: Sequence[UUID]) -> dict[str, int]:
        """Moves each subject's counter on, once for every time it is named, and says by hex where it stands now."""
        found = run(_connection(transaction), self._move_on, {"ids": _ids(subjects)})
        return {_hex_of(subject): last for subject, last in found}

    def remove(self, transaction: Transaction, outbox_ids: Collection[UUID]) -> None:
        run(_connection(transaction), self._remove, {"ids": _ids(outbox_ids)})

    def set_timers(
        self, transaction: Transaction, timers: Sequence[tuple[str, str, datetime, Mapping[str, Any]]]
    ) -> None:
        """Sets timers, given by name, key, due time and data, or moves those that are set."""
        rows = [(name, key, moment(at), orjson.dumps(dict(data)).decode(), 0) for name, key, at, data in timers]
        self.insert(transaction, "timer", TIMER_COLUMNS, rows, _MOVING)

    def cancel_timers(self, transaction: Transaction, keys: Sequence[tuple[str, str]]) -> None:
        """Removes timers, given by name and key, as far as they are there."""
        sign = "%s" if self._shared else "?"
        run_many(_connection(transaction), f"DELETE FROM timer WHERE name = {sign} AND key = {sign}", keys)  # noqa: S608

    def insert(
        self, transaction: Transaction, table: str, kinds: Kinds, rows: Sequence[Sequence[Any]], otherwise: str = ""
    ) -> None:
        """Inserts rows of strings and numbers; `kinds` are the columns and PostgreSQL's names of their types.

        `otherwise` says what becomes of a row that is there already.
        """
        if self._shared:
            statement = f"{_from_recordset(table, tuple(kinds.items()))} {otherwise}"
            run(_connection(transaction), statement, {"rows": _objects(kinds, rows)})
        else:
            values = f"({', '.join(kinds)}) VALUES ({', '.join('?' * len(kinds))})"
            run_many(_connection(transaction), f"INSERT INTO {table} {values} {otherwise}", rows)


def _connection(transaction: Transaction) -> Connection:
    return transaction.connection() if isinstance(transaction, Session) else transaction


def _ids(values: Iterable[UUID]) -> str:
    return orjson.dumps([value.hex for value in values]).decode()


def _hex_of(value: UUID | str) -> str:
    """PostgreSQL returns a UUID, SQLite what is stored."""
    return value if isinstance(value, str) else value.hex


def insert_rows(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    """Inserts rows of a service's own, given as Python values of the same columns."""
    kinds = _kinds(table, frozenset(rows[0])) if session.get_bind().dialect.name == "postgresql" else None
    if kinds is None:
        session.execute(table.insert(), rows)
        return
    run(session.connection(), _from_recordset(table.name, tuple(kinds.items())), {"rows": orjson.dumps(rows).decode()})


@cache
def _kinds(table: Table, columns: frozenset[str]) -> Kinds | None:
    """PostgreSQL's names of the columns' types; None if a value needs more than JSON to get there."""
    if any(column.default is not None for column in table.columns if column.name not in columns):
        return None
    if not all(isinstance(table.columns[name].type, _AS_JSON) for name in columns):
        return None
    dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
    return {name: table.columns[name].type.compile(dialect) for name in sorted(columns)}


@cache
def _from_recordset(table: str, kinds: tuple[tuple[str, str], ...]) -> str:
    columns = ", ".join(f'"{name}"' for name, _ in kinds)
    given = ", ".join(f'"{name}" {kind}' for name, kind in kinds)
    return (
        f'INSERT INTO "{table}" ({columns}) '  # noqa: S608
        f"SELECT {columns} FROM json_to_recordset(CAST(%(rows)s AS json)) AS given({given})"
    )


def _objects(kinds: Kinds, rows: Sequence[Sequence[Any]]) -> str:
    json = [name for name, kind in kinds.items() if kind == "json"]
    objects = [dict(zip(kinds, row, strict=True)) for row in rows]
    for one in objects:
        one.update((name, orjson.Fragment(one[name])) for name in json)
    return orjson.dumps(objects).decode()
