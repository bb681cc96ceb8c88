"""Copies one service's database without its data keys, and restores such copies, for SQLite and PostgreSQL.

A copy never contains keys, not even for a moment: with SQLite they are deleted from a scratch file beside the live
database, which holds them anyway; with PostgreSQL pg_dump leaves them out. So a copy and the master key, without the
data keys, give nobody's data away.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Engine, insert, inspect, make_url, select, text, update
from sqlalchemy.orm import Session

from chassis.audit.chain import AuditAction
from chassis.audit.store import append
from chassis.clock import Clock
from chassis.privacy.restore import RESTORED
from chassis.privacy.vault import DESTROYED
from chassis.store.engine import open_engine
from chassis.store.tables import chassis_tables, data_key_table, new_metadata
from leeward.backups.key_copies import Keys
from leeward.errors import Refusal

SEQUENCE_GAP = 1_000_000
"""Added to the sequence numbers of a restored copy, so that new events count as newer than all that were emitted after
the copy was made."""

METADATA = new_metadata()
CHASSIS, DATA_KEYS = chassis_tables(METADATA), data_key_table(METADATA)


class CopyFailed(Refusal):
    """A database could not be copied or put back; the message is the database's own."""


def suffix_of(url: str) -> str:
    return ".db" if _sqlite_file(url) else ".dump"


def copy_without_keys(url: str, to: Path) -> None:
    """Copies a database as it is at one moment, while it is in use. Raises CopyFailed."""
    to.touch(mode=0o600)
    source = _sqlite_file(url)
    if source is None:
        _run(url, "pg_dump", "--format=custom", "--no-owner", "--exclude-table-data=data_key", f"--file={to}")
        return
    try:
        _copy_sqlite(source, to)
    except sqlite3.Error as error:
        raise CopyFailed(f"{source.name}: {error}") from None


def restore_copy(url: str, copy: Path, keys: Keys | None, *, clock: Clock) -> None:
    """Replaces a database by a copy, with these data keys in it. Raises CopyFailed."""
    target = _sqlite_file(url)
    if target is None:
        _restore_postgresql(url, copy, keys)
        _prepare_restored(open_engine(url), keys, clock)
        return
    scratch = _scratch(target)
    try:
        shutil.copyfile(copy, scratch)
        scratch.chmod(0o600)
        engine = open_engine(f"sqlite:///{scratch}")
        if keys:
            _insert(engine, keys)
        _prepare_restored(engine, keys, clock)
        _remove(target, keep_file=True)
        scratch.replace(target)
    finally:
        _remove(scratch)


def record_restored(url: str, *, who: str, taken_at: datetime, at: datetime) -> None:
    """Puts on record in the restored database itself that it was, unless it is older than the audit log."""
    engine = open_engine(url)
    with Session(engine) as session, session.begin():
        if inspect(session.connection()).has_table(CHASSIS.audit_entry.name):
            reason = f"backup of {taken_at:%Y-%m-%d %H:%M}"
            audit = CHASSIS.audit_entry
            append(session, audit, at=at, who=who, what=AuditAction.RESTORED, subject_id=None, reason=reason)
    engine.dispose()


def read_data_keys(url: str, service: str, *, clock: Clock) -> Keys:
    """A service's wrapped data keys as they are now, including those that were destroyed."""
    engine = open_engine(url)
    at = clock.now()
    with engine.connect().execution_options(read_only=True) as connection:
        rows = connection.execute(select(DATA_KEYS)).all()
    engine.dispose()
    return Keys(service, at, {row.subject_id: (row.wrapped, row.created_at) for row in rows})


def read_data_keys_if_any(url: str, service: str, *, clock: Clock) -> Keys | None:
    """The keys in a database that is about to be replaced; None if there is none, or it can't be read."""
    file = _sqlite_file(url)
    if file is not None and not file.exists():
        return None
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            is_there = inspect(connection).has_table("data_key")
        return read_data_keys(url, service, clock=clock) if is_there else None
    except Exception:  # a damaged database may be the reason for the restore
        return None
    finally:
        engine.dispose()


def _copy_sqlite(source: Path, to: Path) -> None:
    scratch = _scratch(source)
    try:
        scratch.touch(mode=0o600)
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(scratch, isolation_level=None)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=MEMORY")
            copy.execute("PRAGMA foreign_keys=OFF")  # rows that refer to a key stay, because the key is restored later
            if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'data_key'").fetchone():
                copy.execute("DELETE FROM data_key")
            copy.execute("VACUUM INTO ?", (str(to),))  # writes rows only: deleted keys don't remain in free space
    finally:
        _remove(scratch)


def _restore_postgresql(url: str, copy: Path, keys: Keys | None) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for table in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{table}" CASCADE'))
        functions = text("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        for name in connection.execute(functions).scalars().all():
            connection.execute(text(f'DROP FUNCTION "{name}" CASCADE'))
    for section in ("pre-data", "data"):
        _restore(url, copy, section)
    if keys:
        _insert(engine, keys)
    _restore(url, copy, "post-data")  # foreign keys to data keys are checked here
    engine.dispose()


def _restore(url: str, copy: Path, section: str) -> None:
    name = make_url(url).database
    _run(url, "pg_restore", "--no-owner", "--exit-on-error", f"--section={section}", f"--dbname={name}", str(copy))


def _insert(engine: Engine, keys: Keys) -> None:
    rows = [
        {"subject_id": subject_id, "wrapped": wrapped, "created_at": at}
        for subject_id, (wrapped, at) in keys.wrapped.items()
    ]
    with engine.begin() as connection:
        if rows:
            connection.execute(insert(DATA_KEYS), rows)


def _prepare_restored(engine: Engine, keys: Keys | None, clock: Clock) -> None:
    """Raises the sequence numbers, and schedules the erasure of whoever was erased since the copy was made."""
    sequence, timer = CHASSIS.subject_sequence, CHASSIS.timer
    with engine.begin() as connection:
        connection.execute(update(sequence).values(last=sequence.c.last + SEQUENCE_GAP))
        if keys and any(wrapped == DESTROYED for wrapped, _ in keys.wrapped.values()):
            due = {"name": RESTORED, "key": "all", "due_at": clock.now(), "data": {}, "attempts": 0}
            connection.execute(insert(timer).values(due))
    engine.dispose()


def _sqlite_file(url: str) -> Path | None:
    """None for PostgreSQL."""
    parsed = make_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def _scratch(beside: Path) -> Path:
    scratch = beside.with_name(f"{beside.name}.copying")
    _remove(scratch)
    return scratch


def _remove(file: Path, *, keep_file: bool = False) -> None:
    """Removes a SQLite file with its journal files, or with `keep_file` only those."""
    for suffix in ("-wal", "-shm", "-journal") if keep_file else ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _run(url: str, program: str, *arguments: str) -> None:
    """Runs a PostgreSQL program with server and password in its environment, where `ps` doesn't show them."""
    parsed = make_url(url)
    given = [] if program == "pg_restore" else [f"--dbname={parsed.database}"]
    try:
        subprocess.run(
            [_program(program), *given, *arguments],
            env={**os.environ, **_environment(parsed)},
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise CopyFailed(f"{program} is not installed (apt-get install postgresql-client)") from None
    except subprocess.CalledProcessError as error:
        raise CopyFailed(f"{program}: {error.stderr.strip()}") from None


def _program(name: str) -> str:
    """The newest that is installed: an older one refuses a newer server."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(newest[-1]) if newest else name


def _environment(url: URL) -> dict[str, str]:
    given = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    return {name: str(value) for name, value in given.items() if value}
