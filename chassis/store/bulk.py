"""Statements for many rows at once, which the database is told as one JSON parameter.

However many rows there are, the statement is the same: it is compiled once, sent once, and its values need no escaping
one by one. On PostgreSQL that is two to three times as fast as a list of parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

Rows = Iterable[dict[str, Any]]

_encode = json.JSONEncoder(separators=(",", ":")).encode


def parameter(rows: Rows) -> dict[str, str]:
    """What to execute a statement with. Values are strings and numbers; see `moment` and UUID's `hex` for the rest."""
    return {"rows": _encode(list(rows))}


def moment(at: datetime) -> str:
    """A moment as SQLite stores it and PostgreSQL, whose session is in UTC, reads it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def hex_of(value: UUID | str) -> str:
    """An identifier that a statement has returned: PostgreSQL gives a UUID, SQLite what is stored."""
    return value if isinstance(value, str) else value.hex


OUTBOX_COLUMNS = {
    "id": "uuid",
    "exchange": "text",
    "routing_key": "text",
    "headers": "json",
    "body": "text",
    "created_at": "timestamptz",
}


class Statements:
    """The chassis's own statements, in one database's dialect.

    Rows that two replicas may both want are taken in one order, so that the two can't wait for each other.
    """

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self.claim = self._insert(
            "inbox",
            {"message_id": "uuid", "handled_at": "timestamptz"},
            "ORDER BY message_id ON CONFLICT DO NOTHING RETURNING message_id",
        )
        self.move_on = self._insert(
            "subject_sequence",
            {"subject_id": "uuid", "last": "integer"},
            "ORDER BY subject_id ON CONFLICT (subject_id) "
            "DO UPDATE SET last = subject_sequence.last + excluded.last RETURNING subject_id, last",
        )
        self.put = self._insert("outbox", OUTBOX_COLUMNS)
        self.remove = text(f"DELETE FROM outbox WHERE id IN ({self._select({'id': 'uuid'})})")  # noqa: S608

    def _insert(self, table: str, columns: dict[str, str], then: str = "") -> TextClause:
        return text(f"INSERT INTO {table} ({', '.join(columns)}) {self._select(columns)} WHERE true {then}")

    def _select(self, columns: dict[str, str]) -> str:
        if self._dialect == "postgresql":
            typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            return f"SELECT {', '.join(columns)} FROM json_to_recordset(CAST(:rows AS json)) AS given({typed})"  # noqa: S608
        picked = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
        return f"SELECT {picked} FROM json_each(:rows)"  # noqa: S608
