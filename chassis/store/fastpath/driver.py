"""Runs the chassis's own statements on the database's driver, past SQLAlchemy, but with SQLAlchemy's exceptions.

Every unit of work runs these statements, and SQLAlchemy takes longer for one row than SQLite does: without it the event
that a single message leads to is with the broker 0.9 ms sooner on SQLite, and 0.5 ms sooner on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from sqlalchemy import Connection, exc
from sqlalchemy.exc import DBAPIError

Rows = list[tuple[Any, ...]]


def run(connection: Connection, statement: str, parameters: Any = ()) -> Rows:
    """Runs a statement in the connection's transaction, and returns its rows.

    Raises DBAPIError.
    """
    with _cursor(connection, statement) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def run_described(connection: Connection, statement: str, parameters: Any = ()) -> tuple[Rows, list[Any]]:
    """As `run`, and also returns the driver's type code of each column."""
    with _cursor(connection, statement) as cursor:
        cursor.execute(statement, parameters)
        return (cursor.fetchall(), [column[1] for column in cursor.description]) if cursor.description else ([], [])


def run_many(connection: Connection, statement: str, rows: Sequence[Any]) -> int:
    """Runs a statement once for each row of parameters, and returns how many rows it changed. Raises DBAPIError."""
    with _cursor(connection, statement) as cursor:
        if len(rows) == 1:
            cursor.execute(statement, rows[0])
        else:
            cursor.executemany(statement, rows)
        changed: int = cursor.rowcount
        return changed


@contextmanager
def raised_as_sqlalchemy_does(connection: Connection, statement: str) -> Iterator[None]:
    """Raises an error of the driver as SQLAlchemy would raise it."""
    try:
        yield
    except connection.dialect.loaded_dbapi.Error as error:
        _raise_as_sqlalchemy_does(connection, statement, error)


@contextmanager
def _cursor(connection: Connection, statement: str) -> Iterator[Any]:
    cursor: Any = None
    try:
        cursor = connection.connection.cursor()
        yield cursor
    except connection.dialect.loaded_dbapi.Error as error:
        _raise_as_sqlalchemy_does(connection, statement, error)
    finally:
        if cursor is not None:
            cursor.close()


def _raise_as_sqlalchemy_does(connection: Connection, statement: str, error: Exception) -> NoReturn:
    """When the connection was lost, the pool's other connections are closed too: they are most likely lost as well."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
        connection.engine.dispose()
    raise _kind_of(error)(statement, None, error, hide_parameters=True, connection_invalidated=lost) from error


def _kind_of(error: Exception) -> type[DBAPIError]:
    """SQLAlchemy's class for a driver's exception: the one with the same PEP 249 name, or that of the nearest base."""
    named = (getattr(exc, kind.__name__, None) for kind in type(error).__mro__)
    return next((kind for kind in named if isinstance(kind, type) and issubclass(kind, DBAPIError)), DBAPIError)
