"""Wiping destroyed data keys off the disk, where a database keeps overwritten data for a while.

SQLite overwrites them in place (`secure_delete`); older pages in its log are removed by a checkpoint that truncates it.
PostgreSQL keeps an updated row's former version, and its bytes even after VACUUM, so the small table is rewritten.
Its own log, `pg_wal`, can't be changed by a service: it is recycled as the server's settings say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import Engine, Table, func, select

from chassis.privacy.vault import DESTROYED
from chassis.store.database import Database

LOCK_TIMEOUT_MS = 1_000
"""How long to wait for transactions that read the keys. Those that need a key meanwhile wait behind this one."""

LOOK_SECONDS = 0.05


class Wiper:
    """Wipes one service's destroyed keys off its disk."""

    def __init__(self, database: Database, data_keys: Table) -> None:
        self._database = database
        self._destroyed = select(func.count()).where(data_keys.c.wrapped == DESTROYED).select_from(data_keys)
        self._wiped = 0

    def wipe(self) -> bool:
        """True if no destroyed key is left on the disk; False if another transaction blocked it: try again later.

        The first call after a service's start always wipes, because it isn't known what was wiped before.
        """
        with self._database.reading() as unit:
            destroyed = unit.session.execute(self._destroyed).scalar_one()
        if destroyed > self._wiped:
            if not self._wipe(self._database.engine):
                return False
            self._wiped = destroyed
        return True

    def _wipe(self, engine: Engine) -> bool:
        # On the driver's own connection, because neither statement can run in a transaction.
        with self._database.turn, closing(engine.raw_connection()) as connection:
            try:
                return _WIPE[engine.dialect.name](connection.driver_connection)
            except engine.dialect.loaded_dbapi.Error:
                return False
            finally:
                connection.invalidate()  # the next one has the usual settings


def _empty_log(driver: Any) -> bool:
    (busy, _, _) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _rewrite_table(driver: Any) -> bool:
    """Waits for older transactions to end first: a dead row that they may still see would be copied too."""
    driver.autocommit = True
    own_id = driver.execute("SELECT pg_current_xact_id()::xid").fetchone()[0]
    deadline = time.monotonic() + LOCK_TIMEOUT_MS / 1000
    while driver.execute(_OLDER, (own_id,)).fetchone()[0]:
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    driver.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
    driver.execute("VACUUM FULL data_key")
    return True


_OLDER = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND greatest(age(backend_xmin), age(backend_xid)) > age(%s::xid)"
)
"""Counts the transactions that are older than this one, and may see rows that are dead by now."""

_WIPE: dict[str, Callable[[Any], bool]] = {"sqlite": _empty_log, "postgresql": _rewrite_table}
