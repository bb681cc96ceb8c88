"""The durable schedule: timers are rows, each of which is fired once when it is due.

A row is identified by its name, key and due time. Only the replica that removes or moves exactly that row may act on
it, so two replicas never both do, and a timer that was moved or cancelled meanwhile is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, bindparam, delete, select, tuple_, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from chassis.observability.logs import describe
from chassis.ports import NotYet, Timer, TimerHandler, UnitOfWork
from chassis.store.database import Database
from chassis.store.unit_of_work import StoreUnit

BATCH = 96
FIRE_SECONDS = 0.02
"""How long one unit of work fires timers before messages get their turn. Without this limit, when thousands of timers
came due at once, as when retention is applied, each message waited for 96 of them, and again if it was tried alone."""

EFFECT_SECONDS = 2.0
"""How long one round of a side effect may take; timers that are left wait for the next round."""

FRESH_SECONDS = 0.25
"""How long data that was read for side effects counts as current; then it is read again."""

NOT_YET_DELAY = timedelta(seconds=5)
RETRY_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600))
MAX_EFFECT_ATTEMPTS = 8
EFFECT_LEASE = timedelta(minutes=2)
"""How long a side effect may take. After this, its process is assumed to have died, and it is tried again."""

CLOCK_WOBBLE = timedelta(minutes=1)
"""A difference between the clocks of several machines, or a step back of one clock, that is ignored."""

STORE_AWAY = (OperationalError, InterfaceError)

log = structlog.get_logger()

Perform = Callable[[UnitOfWork[Any], Timer], Any]
Record = Callable[[UnitOfWork[Any], Timer, Any], None]
Prefetch = Callable[[UnitOfWork[Any], Sequence[Timer]], object]
Flush = Callable[[UnitOfWork[Any]], object]
Identity = tuple[str, str]
OpenUnit = Callable[[], AbstractContextManager[StoreUnit]]


def nothing(*_: object) -> object:
    """The default for optional parts of a side effect."""
    return None


@dataclass(frozen=True)
class Due:
    """A timer and its handler, which runs in a unit of work."""

    name: str
    handler: TimerHandler


@dataclass(frozen=True)
class SideEffect:
    """A timer that acts on the outside world, outside any transaction, and then records the result.

    `perform` may be repeated after a crash; `record`, or `failed` after the last attempt, takes effect once.
    """

    name: str
    perform: Perform
    record: Record
    failed: TimerHandler
    urgent: bool = False
    """Whether ordinary work has to wait for it."""

    flush: Flush = nothing
    """Makes the effects of a round survive a power cut (fsync), before they are recorded. If it fails, all of them are
    performed again."""

    prefetch_reads: Prefetch = nothing
    prefetch_locks: Prefetch = nothing

    def prefetch(self, *, read: Prefetch, lock: Prefetch) -> SideEffect:
        """The same effect with bulk loading: for many timers at once, `read` loads what `perform` will read, and `lock`
        locks what `record` will. What they return is referenced as long as it may be needed."""
        return replace(self, prefetch_reads=read, prefetch_locks=lock)


@dataclass(frozen=True)
class DueTimer:
    """A row of the schedule; see `chassis.ports.Timer`."""

    name: str
    key: str
    due_at: datetime
    data: Mapping[str, Any]
    attempts: int


class Scheduler:
    """Fires what is due in one service's schedule. `open_unit` opens the units that handlers run in."""

    def __init__(self, database: Database, open_unit: OpenUnit, yield_turn: Callable[[], None] = lambda: None) -> None:
        """`yield_turn` is called between ordinary side effects, and blocks while urgent work is in progress."""
        self._database = database
        self._yield_turn = yield_turn
        self._open_unit = open_unit
        self._table = table = database.tables.timer
        seen = [table.c[name] == bindparam(f"seen_{name}") for name in ("name", "key", "due_at")]
        self._take_one = delete(table).where(*seen).returning(table.c.key)
        self._looked_at: datetime | None = None

    def due(self, names: Sequence[str]) -> list[DueTimer]:
        """The timers of these names that are due, the longest due first."""
        table, now = self._table, self._database.clock.now()
        self._correct_for_clock(now)
        seen = (table.c[name] for name in DueTimer.__dataclass_fields__)
        oldest = select(*seen).where(table.c.name.in_(names), table.c.due_at <= now).order_by(table.c.due_at)
        with self._database.reading() as unit:
            return [DueTimer(**row._mapping) for row in unit.session.execute(oldest.limit(BATCH))]

    def _correct_for_clock(self, now: datetime) -> None:
        """At the start, and when the clock was set back: fires timers that were set while the clock was ahead."""
        if self._looked_at is None or now < self._looked_at - CLOCK_WOBBLE:
            with self._database.unit() as unit:
                count = bring_forward(unit)
            if count:
                log.warning("clock_was_ahead", timers=count)
        self._looked_at = now

    def fire(self, entries: Mapping[str, Due], timers: Sequence[DueTimer]) -> None:
        """Runs the handlers of due timers, as many in one unit of work as fit into FIRE_SECONDS.

        If a handler fails, each timer of that unit is tried in a unit of its own. One that fails there is postponed,
        with growing delays.
        """
        while timers:
            timers = timers[self._fire_some(entries, timers) :]

    def _fire_some(self, entries: Mapping[str, Due], timers: Sequence[DueTimer]) -> int:
        """Fires the first timers in one unit of work, and returns how many of them are done with."""
        count = 0
        try:
            with self._open_unit() as unit:
                until = time.monotonic() + FIRE_SECONDS
                while count < len(timers) and (not count or time.monotonic() < until):
                    timer, count = timers[count], count + 1
                    if self._take(unit, timer):
                        entries[timer.name].handler(unit, timer)
        except STORE_AWAY:
            raise
        except Exception as error:
            if count > 1:
                for timer in timers[:count]:
                    self._fire_some(entries, [timer])
            else:
                self._postpone(timers[0], error)
        return max(count, 1)

    def perform(self, effect: SideEffect, timers: Sequence[DueTimer]) -> None:
        """Performs a side effect for each timer, and records all results in one unit of work.

        After the last failed attempt `failed` is called instead. Timers that are left after EFFECT_SECONDS wait for the
        next round, so that a slow outside world doesn't outlast the lease.
        """
        waiting = self._claim(timers)
        done: list[tuple[DueTimer, Any]] = []
        until = time.monotonic() + EFFECT_SECONDS
        try:
            while waiting:
                for failed in self._perform_due(effect, waiting, done, until):
                    self._effect_failed(effect, failed)
                if time.monotonic() >= until:
                    break
        finally:
            self._record(effect, done)
            self._release(waiting)

    def _claim(self, timers: Sequence[DueTimer]) -> list[DueTimer]:
        """Takes a lease on timers, and returns those that no other replica has."""
        with self._database.unit() as unit:
            return self._moved(unit, timers, unit.now + EFFECT_LEASE, attempts=1)

    def _perform_due(
        self, effect: SideEffect, waiting: list[DueTimer], done: list[tuple[DueTimer, Any]], until: float
    ) -> list[DueTimer]:
        """Performs timers, removing them from `waiting`, while the prefetched data is current. Returns those that
        failed."""
        failed: list[DueTimer] = []
        performed: list[tuple[DueTimer, Any]] = []
        until = min(until, time.monotonic() + FRESH_SECONDS)
        with self._database.reading() as unit:
            held = effect.prefetch_reads(unit, waiting)
            try:
                while waiting:
                    timer = waiting.pop(0)
                    error = self._perform_one(effect, unit, timer, performed)
                    if error:
                        failed.append(timer)
                    # After an error of the database's nothing more can be read in this transaction.
                    if isinstance(error, DBAPIError) or time.monotonic() >= until:
                        break
            finally:
                failed += _flush(effect, unit, performed, done)
            del held
        return failed

    def _perform_one(
        self, effect: SideEffect, unit: UnitOfWork[Any], timer: DueTimer, performed: list[tuple[DueTimer, Any]]
    ) -> Exception | None:
        """Returns the error of a failed side effect. Raises if the database is unavailable, which stops all of them."""
        try:
            performed.append((timer, effect.perform(unit, timer)))
            if not effect.urgent:
                self._yield_turn()
        except STORE_AWAY:
            raise
        except Exception as error:
            _log_failure(timer, error)
            return error
        return None

    def _effect_failed(self, effect: SideEffect, timer: DueTimer) -> None:
        if timer.attempts < MAX_EFFECT_ATTEMPTS:
            self._move(timer, self._database.clock.now() + _delay(timer.attempts - 1))
        else:
            given_up = replace(effect, record=lambda unit, timer, _: effect.failed(unit, timer))
            self._record(given_up, [(timer, None)])

    def _release(self, timers: Sequence[DueTimer]) -> None:
        """Makes claimed timers due again, without counting an attempt."""
        if timers:
            with self._database.unit() as unit:
                self._moved(unit, timers, unit.now, attempts=-1)

    def _record(self, effect: SideEffect, done: Sequence[tuple[DueTimer, Any]]) -> None:
        """Records the results of side effects and removes their timers. One whose result can't be recorded is repeated
        after its lease."""
        if not done:
            return
        timers = [timer for timer, _ in done]
        try:
            with self._open_unit() as unit:
                # Locks in the same order as handlers that cancel timers: first the rows, then the timers.
                held = effect.prefetch_locks(unit, timers)
                mine = self._taken(unit, timers)
                for timer, result in done:
                    if _identity(timer) in mine:
                        effect.record(unit, timer, result)
                del held
        except STORE_AWAY:
            raise
        except Exception as error:
            if len(done) == 1:
                log.error("effect_not_recorded", timer=timers[0].name, **describe(error))
                return
            for timer_and_result in done:
                self._record(effect, [timer_and_result])

    def _postpone(self, timer: DueTimer, error: Exception) -> None:
        now = self._database.clock.now()
        if isinstance(error, NotYet):
            self._move(timer, now + NOT_YET_DELAY)
            return
        log.warning("timer_failed", timer=timer.name, attempts=timer.attempts, **describe(error))
        self._move(timer, now + _delay(timer.attempts), attempts=1)

    def _take(self, unit: StoreUnit, timer: DueTimer) -> bool:
        """Removes the row if it is unchanged, and returns whether it was."""
        unit.write_timers()
        seen = {"seen_name": timer.name, "seen_key": timer.key, "seen_due_at": timer.due_at}
        return unit.session.execute(self._take_one, seen).first() is not None

    def _taken(self, unit: StoreUnit, timers: Sequence[DueTimer]) -> set[Identity]:
        """Removes the rows that are unchanged, and returns their names and keys."""
        unit.write_timers()
        removed = delete(self._table).where(self._among(timers)).returning(self._table.c.name, self._table.c.key)
        return {(name, key) for name, key in unit.session.execute(removed)}

    def _move(self, timer: DueTimer, due_at: datetime, *, attempts: int = 0) -> None:
        with self._database.unit() as unit:
            self._moved(unit, [timer], due_at, attempts=attempts)

    def _moved(self, unit: StoreUnit, timers: Sequence[DueTimer], due_at: datetime, *, attempts: int) -> list[DueTimer]:
        """Moves the rows that are unchanged, and adds `attempts` to theirs. Returns these timers as they are now."""
        table = self._table
        moved = update(table).where(self._among(timers)).returning(table.c.name, table.c.key)
        found = unit.session.execute(
            moved.values(due_at=due_at, attempts=table.c.attempts + attempts, counted_from=unit.now)
        )
        mine = {(name, key) for name, key in found}
        return [
            replace(timer, due_at=due_at, attempts=timer.attempts + attempts)
            for timer in timers
            if _identity(timer) in mine
        ]

    def _among(self, timers: Sequence[DueTimer]) -> ColumnElement[bool]:
        """Matches the rows of these timers that are unchanged."""
        name, key, due_at = self._table.c.name, self._table.c.key, self._table.c.due_at
        seen = [(timer.name, timer.key, timer.due_at) for timer in timers]
        # For a list of tuples alone SQLite uses no index, and would read the whole table.
        by_index = and_(name.in_({timer.name for timer in timers}), key.in_([timer.key for timer in timers]))
        return and_(by_index, tuple_(name, key, due_at).in_(seen))


def bring_forward(unit: StoreUnit) -> int:
    """Makes timers due whose duration starts in the future: the clock was ahead when they were set, and is right now.

    How long they have really waited can't be known. They fire early rather than late: an alert that escalates a little
    too soon harms nobody. A timer for a fixed time, such as nine o'clock, is not moved.
    """
    table = unit.tables.timer
    ahead = update(table).where(table.c.counted_from > unit.now + CLOCK_WOBBLE)
    found = unit.session.execute(ahead.values(due_at=unit.now, counted_from=unit.now).returning(table.c.key))
    return len(found.all())


def _flush(
    effect: SideEffect, unit: UnitOfWork[Any], performed: list[tuple[DueTimer, Any]], done: list[tuple[DueTimer, Any]]
) -> list[DueTimer]:
    """Flushes the effects that were performed, and moves them to `done`. Returns the timers of those that couldn't
    be."""
    try:
        if performed:
            effect.flush(unit)
    except Exception as error:
        for timer, _ in performed:
            _log_failure(timer, error)
        return [timer for timer, _ in performed]
    done += performed
    return []


def _log_failure(timer: DueTimer, error: Exception) -> None:
    log.warning("effect_failed", timer=timer.name, attempts=timer.attempts, **describe(error))


def _identity(timer: DueTimer) -> Identity:
    return timer.name, timer.key


def _delay(attempts: int) -> timedelta:
    return RETRY_DELAYS[min(attempts, len(RETRY_DELAYS) - 1)]
