"""Writes the ORM objects of a session that were added or changed, as rows in bulk.

SQLAlchemy's flush takes longer for each object than the database does. Here, for classes that are mapped to one table
and nothing more, all new rows of a table are written by one statement, and so are all changes of the same columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Table, inspect
from sqlalchemy.orm import Session, make_transient, make_transient_to_detached
from sqlalchemy.orm.exc import StaleDataError

from chassis.store.fastpath.bulk import Rows, Statements, as_rows
from chassis.store.fastpath.table_mappings import plain
from chassis.store.tables import Row

RowsByColumns = Mapping[tuple[Table, tuple[str, ...]], Sequence[Row]]
"""Rows by table and columns."""


class Change(NamedTuple):
    """Changed rows with the same columns. `keys`, the last of these, are the primary key; `objects` are the ORM's."""

    rows: Rows
    keys: tuple[str, ...]
    objects: list[Any]


def take_new(session: Session) -> list[tuple[Table, Row]]:
    """Takes new objects out of the session, and returns their rows. Objects that only the ORM can write stay in it."""
    found = _new(session)
    for added, _, _ in found:
        session.expunge(added)
    return [(table, row) for _, table, row in found]


def write(session: Session, statements: Statements) -> None:
    """Writes new and changed objects, which stay in the session as if read. Those that only the ORM can write are left.

    Raises StaleDataError if a row that was changed is not there any more.
    """
    new = _new(session)
    rows: dict[tuple[Table, tuple[str, ...]], list[Row]] = {}
    for added, table, row in new:
        session.expunge(added)
        rows.setdefault((table, tuple(row)), []).append(row)
    statements.insert(session, *as_parts(session, statements, rows))
    for added, _, _ in new:
        _reattach(session, added)
    for changes, keys, objects in _changed(session):
        if statements.update(session, changes, keys) != len(objects):
            raise StaleDataError(f"a row of {changes.table} that was changed is not there any more")
        for changed in objects:
            session.expunge(changed)
            make_transient(changed)
            _reattach(session, changed)


def as_parts(session: Session, statements: Statements, rows: RowsByColumns) -> list[Rows]:
    """Rows of several tables for one statement, in the order of the foreign keys.

    Rows that only SQLAlchemy can write are written here, after the rows that they may refer to.
    """
    parts: list[Rows] = []
    for (table, _), values in sorted(rows.items(), key=lambda item: _rank(item[0][0])):
        part = as_rows(session.get_bind().dialect, table, values)
        if part:
            parts.append(part)
            continue
        statements.insert(session, *parts)
        parts = []
        session.connection().execute(table.insert(), values)
    return parts


def _new(session: Session) -> list[tuple[Any, Table, Row]]:
    """New objects, each with its table and row."""
    found = []
    for added in session.new:
        mapped, given = plain(inspect(type(added))), vars(added)
        if mapped and mapped.columns.keys() <= given.keys():
            found.append((added, mapped.table, {name: given[key] for key, name in mapped.columns.items()}))
    return found


def _changed(session: Session) -> list[Change]:
    """The changed columns of the session's objects, grouped by table and columns."""
    alike: dict[tuple[Table, tuple[str, ...]], list[tuple[Row, Any]]] = {}
    for mapped_object in session.dirty:
        state = inspect(mapped_object)
        mapped = plain(state.mapper)
        if mapped:
            unmodified = state.unmodified
            changed = [key for key in mapped.columns if key not in unmodified]
            row = {mapped.columns[key]: state.dict[key] for key in changed}
            if row and not row.keys() & mapped.keys.values():
                row |= {name: state.dict[key] for key, name in mapped.keys.items()}
                alike.setdefault((mapped.table, tuple(row)), []).append((row, mapped_object))
    found = []
    for (table, names), changes in sorted(alike.items(), key=lambda item: _rank(item[0][0])):
        keys = tuple(name for name in names if table.columns[name].primary_key)
        changes.sort(key=lambda change: tuple(change[0][name] for name in keys))
        rows = as_rows(session.get_bind().dialect, table, [row for row, _ in changes])
        if rows:
            found.append(Change(rows, keys, [mapped_object for _, mapped_object in changes]))
    return found


def _reattach(session: Session, written: Any) -> None:
    """Puts an object that was written back into the session, as if the session had read it."""
    make_transient_to_detached(written)
    session.add(written)


@cache
def _rank(table: Table) -> int:
    """A table's position in its metadata, sorted so that a table comes after those that it refers to."""
    return table.metadata.sorted_tables.index(table)
