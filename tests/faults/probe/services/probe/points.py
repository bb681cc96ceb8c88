"""Precise points at which the process kills itself, and a store that breaks its word, without any hook in the
chassis: they listen to SQLAlchemy's engines, and stand in the way of the chassis's own statements to the driver.

A point is armed by a file of its name in the control folder, holding how many times it is passed first; the file is
removed as the point strikes, so that it strikes once.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.probe import naivety
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect

from chassis.store.fastpath import bulk, pipelining
from chassis.store.fastpath.driver import Rows

BEFORE_COMMIT, AFTER_COMMIT, BEFORE_DELETE = "before_commit", "after_commit", "before_delete"
_WROTE = "probe wrote an effect"
_held: set[str] = set()


def install(control: Path, sabotage: frozenset[str]) -> None:
    """Watches every engine of this process."""
    original = DefaultDialect.do_commit

    def commit(dialect: Any, connection: Any) -> None:
        with around_commit(control, connection):
            original(dialect, connection)

    def statement_begins(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> Any:
        if re.match(r"\s*INSERT INTO effect\b", statement, re.IGNORECASE):
            connection.info[_WROTE] = True
        if "no_locks" in sabotage and "outbox" in statement:
            statement = statement.replace("FOR UPDATE SKIP LOCKED", "")
        return statement, parameters

    to_driver = bulk.run

    def run(connection: Connection, statement: str, parameters: Any = ()) -> Rows:
        if statement.startswith("DELETE FROM outbox"):
            strike(control, BEFORE_DELETE)
        return to_driver(connection, statement, parameters)

    to_end = pipelining.end_with

    def end_with(connection: Connection, statement: str, given: Mapping[str, str]) -> Any:
        with around_commit(control, connection):
            return to_end(connection, statement, given)

    for name in sabotage & naivety.BREAKS.keys():
        naivety.BREAKS[name]()
    bulk.run = run  # type: ignore[attr-defined]
    pipelining.end_with = end_with
    DefaultDialect.do_commit = commit  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", statement_begins, retval=True)
    event.listen(Engine, "rollback", rolled_back)


@contextmanager
def around_commit(control: Path, connection: Any) -> Iterator[None]:
    """Strikes before and after what commits an effect, whichever way it is told the database."""
    wrote = connection.info.pop(_WROTE, False)
    if wrote:
        strike(control, BEFORE_COMMIT)
    yield
    if wrote:
        strike(control, AFTER_COMMIT)


def rolled_back(connection: Connection) -> None:
    if not connection.invalidated:  # then there is nothing left to note it on
        connection.info.pop(_WROTE, None)


def strike(control: Path, point: str) -> None:
    """Kills the process if the point is armed and has been passed often enough."""
    armed = control / point
    if point in _held or not armed.exists():
        return
    passes = int(armed.read_text() or 0)
    if passes:
        armed.write_text(str(passes - 1))
        return
    armed.unlink()
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def unharmed(session: Any) -> Iterator[None]:
    """Lets a commit pass, and has the next one on the connection count as if it were the first."""
    _held.update((BEFORE_COMMIT, AFTER_COMMIT))
    try:
        yield
    finally:
        _held.clear()
        session.connection().info[_WROTE] = True
