"""Classes that are mapped to one table and nothing more: the chassis reads and writes their rows without the ORM."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Table
from sqlalchemy.orm import Mapper

WRITING = ("before_insert", "after_insert", "before_update", "after_update")
"""The mapper's events for writing. A mapping with a listener to one of them is left to the ORM."""


class Plain(NamedTuple):
    """The table and columns of such a mapping."""

    table: Table
    columns: Mapping[str, str]
    """Column names, by attribute."""

    keys: Mapping[str, str]
    """The primary key's column names, by attribute."""


@cache
def plain(mapper: Mapper[Any]) -> Plain | None:
    """The mapping's table and columns; None if it has relationships, listeners or other features that need the ORM."""
    (table, *others), events = mapper.tables, mapper.dispatch
    more = (others, mapper.relationships, *(getattr(events, name) for name in WRITING))
    if any(more) or mapper.polymorphic_on is not None or mapper.version_id_col is not None:
        return None
    assert isinstance(table, Table)
    columns = {attribute.key: str(attribute.columns[0].name) for attribute in mapper.column_attrs}
    return Plain(table, columns, {key: name for key, name in columns.items() if table.columns[name].primary_key})
