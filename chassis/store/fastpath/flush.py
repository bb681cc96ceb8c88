"""Objects of the ORM's that were added or changed, as rows.

A handler adds objects to its session and changes those it has read, and the session's flush would bring each through
SQLAlchemy's unit of work, which takes longer over it than the database does. Of what is mapped to a table and no more,
all new rows of the table are written at once, and all changes of the same columns.
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
"""Rows of the same columns of a table."""


class Change(NamedTuple):
    """Rows that get other values in the same columns; `keys`, the last of them, are those they are found by."""

    rows: Rows
    keys: tuple[str, ...]
    objects: list[Any]


def take_new(session: Session) -> list[tuple[Table, Row]]:
    """The session's new objects, which it then no longer knows; one that only the ORM can write stays."""
    found = _new(session)
    for added, _, _ in found:
        session.expunge(added)
    return [(table, row) for _, table, row in found]


def write(session: Session, statements: Statements) -> None:
    """Writes what is new and what was changed. The session goes on knowing it; what only the ORM can write stays.

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
    """Rows of several tables for one statement, what others refer to first.

    Those that only SQLAlchemy can write are written, and before them whatever they may refer to.
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
    """New objects, and what each is as a row."""
    found = []
    for added in session.new:
        mapped, given = plain(inspect(type(added))), vars(added)
        if mapped and mapped.columns.keys() <= given.keys():
            found.append((added, mapped.table, {name: given[key] for key, name in mapped.columns.items()}))
    return found


def _changed(session: Session) -> list[Change]:
    """What was changed, and in which objects."""
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
    """Where a table stands among those of its database, after all that it refers to."""
    return table.metadata.sorted_tables.index(table)
