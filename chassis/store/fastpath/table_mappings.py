"""Mappings that are no more than a table, whose rows the chassis reads and writes itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Table
from sqlalchemy.orm import Mapper

WRITING = ("before_insert", "after_insert", "before_update", "after_update")
"""Events that somebody may listen to."""


class Plain(NamedTuple):
    """The table of such a mapping."""

    table: Table
    columns: Mapping[str, str]
    """Their names, by attribute."""

    keys: Mapping[str, str]
    """Those of the primary key."""


@cache
def plain(mapper: Mapper[Any]) -> Plain | None:
    """None if there is more to the mapping: its rows are the ORM's."""
    (table, *others), events = mapper.tables, mapper.dispatch
    more = (others, mapper.relationships, *(getattr(events, name) for name in WRITING))
    if any(more) or mapper.polymorphic_on is not None or mapper.version_id_col is not None:
        return None
    assert isinstance(table, Table)
    columns = {attribute.key: str(attribute.columns[0].name) for attribute in mapper.column_attrs}
    return Plain(table, columns, {key: name for key, name in columns.items() if table.columns[name].primary_key})
