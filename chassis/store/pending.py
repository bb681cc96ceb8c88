"""New objects of the ORM's, as rows.

A handler adds objects to its session, and the session's flush would bring each through SQLAlchemy's unit of work, which
takes longer over it than the database does. What has not been flushed when a unit ends is written like its other rows:
all of a table's at once, and on PostgreSQL in the unit's last statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Table, inspect
from sqlalchemy.orm import Mapper, Session

from chassis.store.tables import Row


class Plain(NamedTuple):
    """A mapping that is no more than a table: the names of its columns, by attribute."""

    table: Table
    columns: Mapping[str, str]


def take_new(session: Session) -> list[tuple[Table, Row]]:
    """The session's new objects, which it then no longer knows; one that only the ORM can write stays."""
    new, rows = list(session.new), []
    for one in new:
        plain, given = _plain(inspect(type(one))), vars(one)
        if plain and plain.columns.keys() <= given.keys():
            rows.append((plain.table, {name: given[key] for key, name in plain.columns.items()}))
            session.expunge(one)
    return rows


@cache
def _plain(mapper: Mapper[Any]) -> Plain | None:
    """None if there is more to the mapping: its rows are the ORM's to write."""
    (table, *others), events = mapper.tables, mapper.dispatch
    more = (others, mapper.relationships, events.before_insert, events.after_insert)
    if any(more) or mapper.polymorphic_on is not None or mapper.version_id_col is not None:
        return None
    assert isinstance(table, Table)
    return Plain(table, {attribute.key: str(attribute.columns[0].name) for attribute in mapper.column_attrs})
