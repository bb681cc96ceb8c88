"""The durable schedule: what must happen later is a row, taken up when it is due and done once.

A row is known by its name, key and due time: whoever removes or moves that very row may act on it, so two replicas
never both do, and a timer that was moved or cancelled meanwhile is left alone.
"""

from __future__ import annotations

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

BATCH = 200
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

    def fire(self, entry: Due, timer: DueTimer) -> None:
        """Runs a timer's handler once; a failure puts it off with growing delays."""
        try:
            with self._open_unit() as unit:
                if self._take(unit, timer):
                    entry.handler(unit, timer)
        except STORE_AWAY:
            raise
        except NotYet:
            self._move(timer, self._database.clock.now() + NOT_YET_DELAY, timer.attempts)
        except Exception as error:
            log.warning("timer_failed", timer=timer.name, attempts=timer.attempts, **describe(error))
            self._put_off(timer)

    def perform(self, effect: Effect, timer: DueTimer) -> None:
        """Acts on the outside world and records it. After the last failed attempt `failed` is called instead."""
        claimed = self._move(timer, self._database.clock.now() + EFFECT_LEASE, timer.attempts + 1)
        if claimed is None:
            return
        try:
            with self._database.reading() as unit:
                result = effect.act(unit, claimed)
        except STORE_AWAY:
            raise
        except Exception as error:
            log.warning("effect_failed", timer=timer.name, attempts=claimed.attempts, **describe(error))
            self._effect_failed(effect, claimed)
        else:
            self._finish(claimed, lambda unit: effect.record(unit, claimed, result))

    def _effect_failed(self, effect: Effect, timer: DueTimer) -> None:
        if timer.attempts < MAX_EFFECT_ATTEMPTS:
            self._move(timer, self._database.clock.now() + _delay(timer.attempts - 1), timer.attempts)
        else:
            self._finish(timer, lambda unit: effect.failed(unit, timer))

    def _finish(self, timer: DueTimer, record: Callable[[StoreUnit], None]) -> None:
        """Records the end of an effect and removes its timer. If that fails the effect is repeated after its lease."""
        try:
            with self._open_unit() as unit:
                if self._take(unit, timer):
                    record(unit)
        except STORE_AWAY:
            raise
        except Exception as error:
            log.error("effect_not_recorded", timer=timer.name, attempts=timer.attempts, **describe(error))

    def _put_off(self, timer: DueTimer) -> None:
        self._move(timer, self._database.clock.now() + _delay(timer.attempts), timer.attempts + 1)

    def _take(self, unit: StoreUnit, timer: DueTimer) -> bool:
        """Removes the row. False if it is no longer there as it was seen."""
        return _changed(unit.session.execute(delete(self._table).where(self._same(timer))))

    def _move(self, timer: DueTimer, due_at: datetime, attempts: int) -> DueTimer | None:
        moved = replace(timer, due_at=due_at, attempts=attempts)
        statement = update(self._table).where(self._same(timer)).values(due_at=due_at, attempts=attempts)
        with self._database.unit() as unit:
            return moved if _changed(unit.session.execute(statement)) else None

    def _same(self, timer: DueTimer) -> ColumnElement[bool]:
        table = self._table
        return and_(table.c.name == timer.name, table.c.key == timer.key, table.c.due_at == timer.due_at)


def _delay(attempts: int) -> timedelta:
    return RETRY_DELAYS[min(attempts, len(RETRY_DELAYS) - 1)]


def _changed(result: Any) -> bool:
    return bool(result.rowcount)
