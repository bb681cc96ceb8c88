"""Mapped rows by their primary key, as handlers read them again and again.

`Session.get` builds its statement at every call, queries the database each time if it locks, and flushes the session's
changes first. Here a statement is built once; a unit of work keeps the rows it has read until it ends, and doesn't lock
a row twice; and changes are flushed first only if they may concern the wanted row.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, bindparam, func, inspect, select
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.util import identity_key

from chassis.store.prepared import prepared

RowT = TypeVar("RowT")

_KEPT, _LOCKED = "rows kept", "rows locked"
"""Keys in `session.info`: the rows that the unit of work has read, and the identities that it has locked."""


def find(session: Session, kind: type[RowT], key: UUID) -> RowT | None:
    """The row of this key, not locked, from the session if it has it."""
    known: RowT | None = session.identity_map.get(identity_key(kind, key))
    return known or _read(session, kind, key, _by_key(inspect(kind)))


def lock(session: Session, kind: type[RowT], key: UUID | str) -> RowT | None:
    """The row of this key, locked until the unit ends, and read again unless the unit has locked it before."""
    identity = identity_key(kind, key)
    locked: set[Any] = session.info.setdefault(_LOCKED, set())
    known: RowT | None = session.identity_map.get(identity) if identity in locked else None
    found = known or _read(session, kind, key, _by_key_locking(inspect(kind)))
    if found is not None:
        locked.add(identity)
    return found


def lock_all(session: Session, kind: type[RowT], keys: Collection[UUID]) -> list[RowT]:
    """The existing rows of these keys, ordered by key, locked by one statement. Later calls of `lock` need no query."""
    mapper = inspect(kind)
    (column,) = mapper.primary_key
    wanted = select(mapper).where(column.in_(keys)).order_by(column).with_for_update()
    found = list(session.execute(wanted.execution_options(populate_existing=True)).scalars())
    locked: set[Any] = session.info.setdefault(_LOCKED, set())
    locked.update(mapper.identity_key_from_instance(row) for row in found)
    session.info.setdefault(_KEPT, []).extend(found)
    return found


def lock_key(session: Session, kind: type[RowT], key: object) -> None:
    """Locks a key of which there may be no row yet, until the unit ends, against others that call this.

    A missing row can't be locked: two units that look for it at once would both find none, and the second to add it
    would fail. A unit that locks the key first finds what the other has added. SQLite needs no lock, because a
    transaction has the only write lock anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        hashed = func.hashtextextended(f"{kind.__name__} {key}", 0)
        session.execute(select(func.pg_advisory_xact_lock(hashed)))


def _read(session: Session, kind: type[RowT], key: UUID | str, wanted: Select[Any]) -> RowT | None:
    found = _added(session, kind, key)
    if found is None:
        if identity_key(kind, key) in session.identity_map:
            session.flush()
        found = session.execute(wanted, {"key": key}).scalar_one_or_none()
    # A session only holds weak references, and another message of the batch may need the same row.
    session.info.setdefault(_KEPT, []).append(found)
    return found


def _added(session: Session, kind: type[RowT], key: UUID | str) -> RowT | None:
    """The row of this key if the unit has added it and not yet written it."""
    attribute = _key_of(inspect(kind))
    return next((row for row in session.new if type(row) is kind and getattr(row, attribute) == key), None)


@cache
def _key_of(mapper: Mapper[Any]) -> str:
    """The attribute that holds the primary key."""
    (column,) = mapper.primary_key
    return mapper.get_property_by_column(column).key


@cache
def _by_key(mapper: Mapper[Any]) -> Select[Any]:
    return prepared(_selecting(mapper).execution_options(autoflush=False))


@cache
def _by_key_locking(mapper: Mapper[Any]) -> Select[Any]:
    wanted = _selecting(mapper).with_for_update()
    return prepared(wanted.execution_options(autoflush=False, populate_existing=True))


def _selecting(mapper: Mapper[Any]) -> Select[Any]:
    (column,) = mapper.primary_key
    return select(mapper).where(column == bindparam("key"))
