"""The durable schedule: what must happen later is a row, taken up when it is due and done once.

A row is known by its name, key and due time: whoever removes or moves that very row may act on it, so two replicas
never both do, and a timer that was moved or cancelled meanwhile is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.exc import InterfaceError, OperationalError

from chassis.logs import describe
from chassis.ports import NotYet, Timer, TimerHandler, Unit
from chassis.store.database import Database
from chassis.store.unit import StoreUnit

BATCH = 96
EFFECT_SECONDS = 2.0
NOT_YET_DELAY = timedelta(seconds=5)
RETRY_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600))
MAX_EFFECT_ATTEMPTS = 8
EFFECT_LEASE = timedelta(minutes=2)
"""How long an effect may take before it is held to have died with its process, and is tried again."""

STORE_AWAY = (OperationalError, InterfaceError)

log = structlog.get_logger()

Act = Callable[[Unit[Any], Timer], Any]
Record = Callable[[Unit[Any], Timer, Any], None]
OpenUnit = Callable[[], AbstractContextManager[StoreUnit]]


@dataclass(frozen=True)
class Due:
    """A timer and its handler, which runs in a unit of work."""

    name: str
    handler: TimerHandler


@dataclass(frozen=True)
class Effect:
    """A timer that touches the outside world, outside any transaction, and then records what came of it.

    `act` may be repeated after a crash; `record`, or `failed` after the last attempt, takes effect once.
    """

    name: str
    act: Act
    record: Record
    failed: TimerHandler


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

    def __init__(self, database: Database, open_unit: OpenUnit) -> None:
        self._database = database
        self._open_unit = open_unit
        self._table = database.tables.timer

    def due(self, names: Sequence[str]) -> list[DueTimer]:
        """The timers of these names that are due, the longest due first."""
        table, now = self._table, self._database.clock.now()
        oldest = select(table).where(table.c.name.in_(names), table.c.due_at <= now).order_by(table.c.due_at)
        with self._database.reading() as unit:
            return [DueTimer(**row._mapping) for row in unit.session.execute(oldest.limit(BATCH))]

    def fire(self, entries: Mapping[str, Due], timers: Sequence[DueTimer]) -> None:
        """Runs the handlers of due timers, all in one unit of work if none fails, otherwise each in its own.

        One that fails by itself is put off, with growing delays.
        """
        try:
            with self._open_unit() as unit:
                for timer in timers:
                    if self._take(unit, timer):
                        entries[timer.name].handler(unit, timer)
        except STORE_AWAY:
            raise
        except Exception as error:
            if len(timers) == 1:
                self._put_off(timers[0], error)
                return
            for timer in timers:
                self.fire(entries, [timer])

    def perform(self, effect: Effect, timers: Sequence[DueTimer]) -> None:
        """Acts on the outside world for each timer, and records what came of it, all in one unit of work.

        After the last failed attempt `failed` is called instead. What is not done after a few seconds is left for next
        time, so that a slow outside world doesn't outlast the lease.
        """
        waiting = self._claim(timers)
        done: list[tuple[DueTimer, Any]] = []
        until = time.monotonic() + EFFECT_SECONDS
        try:
            while waiting and (time.monotonic() < until or not done):
                timer = waiting.pop(0)
                try:
                    with self._database.reading() as unit:
                        done.append((timer, effect.act(unit, timer)))
                except STORE_AWAY:
                    raise
                except Exception as error:
                    log.warning("effect_failed", timer=timer.name, attempts=timer.attempts, **describe(error))
                    self._effect_failed(effect, timer)
        finally:
            self._record(done, effect.record)
            for timer in waiting:
                self._move(timer, self._database.clock.now(), timer.attempts - 1)

    def _claim(self, timers: Sequence[DueTimer]) -> list[DueTimer]:
        """Takes a lease on timers, and returns those that nobody else has."""
        lease = self._database.clock.now() + EFFECT_LEASE
        with self._database.unit() as unit:
            moved = (self._moved(unit, timer, lease, timer.attempts + 1) for timer in timers)
            return [timer for timer in moved if timer is not None]

    def _effect_failed(self, effect: Effect, timer: DueTimer) -> None:
        if timer.attempts < MAX_EFFECT_ATTEMPTS:
            self._move(timer, self._database.clock.now() + _delay(timer.attempts - 1), timer.attempts)
        else:
            self._record([(timer, None)], lambda unit, given_up, _: effect.failed(unit, given_up))

    def _record(self, done: Sequence[tuple[DueTimer, Any]], record: Record) -> None:
        """Records the ends of effects and removes their timers. If that fails one is repeated after its lease."""
        if not done:
            return
        try:
            with self._open_unit() as unit:
                for timer, result in done:
                    if self._take(unit, timer):
                        record(unit, timer, result)
        except STORE_AWAY:
            raise
        except Exception as error:
            if len(done) == 1:
                log.error("effect_not_recorded", timer=done[0][0].name, **describe(error))
                return
            for one in done:
                self._record([one], record)

    def _put_off(self, timer: DueTimer, error: Exception) -> None:
        now = self._database.clock.now()
        if isinstance(error, NotYet):
            self._move(timer, now + NOT_YET_DELAY, timer.attempts)
            return
        log.warning("timer_failed", timer=timer.name, attempts=timer.attempts, **describe(error))
        self._move(timer, now + _delay(timer.attempts), timer.attempts + 1)

    def _take(self, unit: StoreUnit, timer: DueTimer) -> bool:
        """Removes the row. False if it is no longer there as it was seen."""
        return _changed(unit.session.execute(delete(self._table).where(self._same(timer))))

    def _move(self, timer: DueTimer, due_at: datetime, attempts: int) -> None:
        with self._database.unit() as unit:
            self._moved(unit, timer, due_at, attempts)

    def _moved(self, unit: StoreUnit, timer: DueTimer, due_at: datetime, attempts: int) -> DueTimer | None:
        """The timer as it is after it was moved, or None if it was no longer there as it was seen."""
        statement = update(self._table).where(self._same(timer)).values(due_at=due_at, attempts=attempts)
        changed = _changed(unit.session.execute(statement))
        return replace(timer, due_at=due_at, attempts=attempts) if changed else None

    def _same(self, timer: DueTimer) -> ColumnElement[bool]:
        table = self._table
        return and_(table.c.name == timer.name, table.c.key == timer.key, table.c.due_at == timer.due_at)


def _delay(attempts: int) -> timedelta:
    return RETRY_DELAYS[min(attempts, len(RETRY_DELAYS) - 1)]


def _changed(result: Any) -> bool:
    return bool(result.rowcount)
