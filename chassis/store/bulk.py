"""Statements for many rows at once.

PostgreSQL is told them as one JSON parameter: the statement is the same however many rows there are, it is sent once,
and no value is escaped by itself, which is two to three times as fast as a list of parameters. SQLite, which is called
and not talked to, takes lists faster. Identifiers go to both as one JSON array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    TextClause,
    Uuid,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from chassis.store.tables import Instant

Transaction = Session | Connection
Kinds = Mapping[str, str]

_AS_JSON = (Uuid, String, Integer, Float, Boolean, Instant, Date)
"""Types whose values orjson writes as PostgreSQL reads them."""


def ids(values: Iterable[UUID]) -> str:
    """Identifiers as the parameter `:ids` of a statement."""
    return orjson.dumps([value.hex for value in values]).decode()


def moment(at: datetime) -> str:
    """A moment as SQLite stores it and PostgreSQL, whose session is in UTC, reads it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def hex_of(value: UUID | str) -> str:
    """An identifier that a statement has returned: PostgreSQL gives a UUID, SQLite what is stored."""
    return value if isinstance(value, str) else value.hex


class Statements:
    """The chassis's own statements, in one database's dialect.

    Rows that two replicas may both want are taken in one order, so that the two can't wait for each other.
    """

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        one = "CAST(value AS uuid)" if dialect == "postgresql" else "value"
        each = "json_array_elements_text(CAST(:ids AS json))" if dialect == "postgresql" else "json_each(:ids)"
        self.claim = text(
            f"INSERT INTO inbox (message_id, handled_at) SELECT {one}, :at FROM {each} WHERE true "  # noqa: S608
            "ORDER BY 1 ON CONFLICT DO NOTHING RETURNING message_id"
        )
        self.move_on = text(
            f"INSERT INTO subject_sequence (subject_id, last) SELECT {one}, count(*) FROM {each} WHERE true "  # noqa: S608
            "GROUP BY 1 ORDER BY 1 ON CONFLICT (subject_id) "
            "DO UPDATE SET last = subject_sequence.last + excluded.last RETURNING subject_id, last"
        )
        self.remove = text(f"DELETE FROM outbox WHERE id IN (SELECT {one} FROM {each})")  # noqa: S608

    def insert(self, transaction: Transaction, table: str, kinds: Kinds, rows: Sequence[Sequence[Any]]) -> None:
        """Inserts rows of strings and numbers; `kinds` are the columns and PostgreSQL's names of their types."""
        if self._dialect == "postgresql":
            transaction.execute(_from_recordset(table, kinds), {"rows": _objects(kinds, rows)})
        else:
            columns = ", ".join(kinds)
            statement = f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(kinds))})"  # noqa: S608
            connection = transaction.connection() if isinstance(transaction, Session) else transaction
            connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def insert_rows(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    """Inserts rows of a service's own, given as Python values of the same columns."""
    kinds = _kinds(table, frozenset(rows[0])) if session.get_bind().dialect.name == "postgresql" else None
    if kinds is None:
        session.execute(table.insert(), rows)
        return
    session.execute(_from_recordset(table.name, kinds), {"rows": orjson.dumps(rows).decode()})


@cache
def _kinds(table: Table, columns: frozenset[str]) -> Kinds | None:
    """PostgreSQL's names of the columns' types; None if a value needs more than JSON to get there."""
    if any(column.default is not None for column in table.columns if column.name not in columns):
        return None
    if not all(isinstance(table.columns[name].type, _AS_JSON) for name in columns):
        return None
    dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
    return {name: table.columns[name].type.compile(dialect) for name in sorted(columns)}


def _from_recordset(table: str, kinds: Kinds) -> TextClause:
    columns = ", ".join(f'"{name}"' for name in kinds)
    given = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    return text(
        f'INSERT INTO "{table}" ({columns}) '  # noqa: S608
        f"SELECT {columns} FROM json_to_recordset(CAST(:rows AS json)) AS given({given})"
    )


def _objects(kinds: Kinds, rows: Sequence[Sequence[Any]]) -> str:
    json = [name for name, kind in kinds.items() if kind == "json"]
    objects = [dict(zip(kinds, row, strict=True)) for row in rows]
    for one in objects:
        one.update((name, orjson.Fragment(one[name])) for name in json)
    return orjson.dumps(objects).decode()
