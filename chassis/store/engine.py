"""Engines for the two kinds of store, set up so that a commit is durable and nothing blocks for long.

Two execution options choose a transaction's kind. `read_only` takes no lock. `upkeep` doesn't wait for the disk: the
commit survives a crash of the process but maybe not of the machine, so it is for work that can be repeated.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from chassis.store.fastpath.driver import run

SQLITE_BUSY_TIMEOUT_MS = 2_000
"""Well under the heartbeat: while SQLite waits, nothing else in the process runs."""

SQLITE_CHECKPOINT_PAGES = 4_000
"""16 MB of log between checkpoints, each of which writes every changed page into the database file."""

DURABLE, SURVIVES_THE_PROCESS = "FULL", "NORMAL"
"""SQLite's `synchronous` for a transaction that must not be lost, and for upkeep."""

POSTGRESQL_STATEMENT_TIMEOUT_MS = 5_000
"""Limits how long a statement can block a unit of work, and with it all others of its process."""


def open_engine(url: str, connect: Callable[..., Any] | None = None) -> Engine:
    """An engine for `sqlite:///file`, `sqlite://` (in memory) or `postgresql+psycopg://…`.

    `connect` opens PostgreSQL's connections, in place of `SparingConnection.connect`; it must return
    SparingConnections.
    """
    if url.startswith("sqlite"):
        return _open_sqlite(url)
    from chassis.store.fastpath.pipelining import SparingConnection  # which loads psycopg

    options = f"-c statement_timeout={POSTGRESQL_STATEMENT_TIMEOUT_MS} -c timezone=UTC"
    engine = create_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={"options": options, "client_encoding": "utf8"},
    )

    connecting = connect or SparingConnection.connect
    event.listen(engine, "do_connect", lambda dialect, record, arguments, options: connecting(*arguments, **options))

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("upkeep"):
            run(connection, "SET LOCAL synchronous_commit TO OFF")

    return engine


def _open_sqlite(url: str) -> Engine:
    pool: dict[str, Any] = {"poolclass": StaticPool} if url == "sqlite://" else {"pool_use_lifo": True}
    engine = create_engine(url, hide_parameters=True, connect_args={"check_same_thread": False}, **pool)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # the "begin" hook below starts transactions, not the driver
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={DURABLE}")
        record.info["synchronous"] = DURABLE
        connection.execute(f"PRAGMA wal_autocheckpoint={SQLITE_CHECKPOINT_PAGES}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=FAST")  # a destroyed key leaves no trace in the page it stood on
        connection.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_MS}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        options = connection.get_execution_options()
        _wait_for_disk(connection, SURVIVES_THE_PROCESS if options.get("upkeep") else DURABLE)
        # IMMEDIATE takes the write lock at once: a transaction that reads first can't wait for it later.
        run(connection, "BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")

    return engine


def _wait_for_disk(connection: Any, synchronous: str) -> None:
    """Sets `synchronous` for the next transaction. SQLite keeps the setting with the connection."""
    if connection.info["synchronous"] != synchronous:
        run(connection, f"PRAGMA synchronous={synchronous}")
        connection.info["synchronous"] = synchronous
