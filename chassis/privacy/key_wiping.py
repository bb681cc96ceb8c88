"""Wiping destroyed data keys off the disk, where a database keeps what was overwritten for a while.

SQLite overwrites them where they stood (`secure_delete`); older pages of its log go with a checkpoint that empties it.
PostgreSQL keeps an updated row's former version, and its bytes even after VACUUM, so the small table is written anew.
Its own log, `pg_wal`, is beyond a service's reach: it is written over as the server's settings have it.
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
"""How long who needs a key may have to wait for somebody who reads them all for long."""

LOOK_SECONDS = 0.05


class Wiper:
    """Wipes one service's destroyed keys off its disk."""

    def __init__(self, database: Database, data_keys: Table) -> None:
        self._database = database
        self._destroyed = select(func.count()).where(data_keys.c.wrapped == DESTROYED).select_from(data_keys)
        self._wiped = 0

    def wipe(self) -> bool:
        """True if none is left on the disk; False if somebody was in the way, so that it must be tried again.

        At a service's start all are wiped, because it isn't known what was wiped before.
        """
        with self._database.reading() as unit:
            destroyed = unit.session.execute(self._destroyed).scalar_one()
        if destroyed > self._wiped:
            if not self._wipe(self._database.engine):
                return False
            self._wiped = destroyed
        return True

    def _wipe(self, engine: Engine) -> bool:
        # On the driver's own connection, because no transaction may do either.
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


def _write_anew(driver: Any) -> bool:
    """A dead row that somebody may still see is written anew too, so those who came before have to be gone."""
    driver.autocommit = True
    mark = driver.execute("SELECT pg_current_xact_id()::xid").fetchone()[0]
    deadline = time.monotonic() + LOCK_TIMEOUT_MS / 1000
    while driver.execute(_OLDER, (mark,)).fetchone()[0]:
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
"""Who began before a moment, and may see what was there then."""

_WIPE: dict[str, Callable[[Any], bool]] = {"sqlite": _empty_log, "postgresql": _write_anew}
