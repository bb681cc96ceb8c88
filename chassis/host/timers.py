"""The entrypoint that fires a service's timers inside a nameko container."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog
from nameko.extensions import Entrypoint
from sqlalchemy.exc import DBAPIError

from chassis.host.provider import chassis_of
from chassis.observability import metrics
from chassis.observability.logs import describe
from chassis.store.schedule import Due, DueTimer, Scheduler, SideEffect

POLL_SECONDS = 0.25

log = structlog.get_logger()

Fire = Callable[[Sequence[DueTimer]], None]


class Schedule(Entrypoint):  # type: ignore[misc]
    """Fires timers. Each side effect has a thread of its own, so that a slow one delays no other."""

    def __init__(self, entries: tuple[Due | SideEffect, ...], **kwargs: Any) -> None:
        self.entries = entries
        super().__init__(**kwargs)

    def setup(self) -> None:
        self._chassis = chassis_of(self.container)
        self._scheduler = Scheduler(self._chassis.database, self._chassis.unit, self._chassis.urgent_first.yield_turn)
        self._stopping = threading.Event()
        self._threads: list[tuple[threading.Event, threading.Event]] = []

    def start(self) -> None:
        due = {entry.name: entry for entry in self.entries if isinstance(entry, Due)}
        self._spawn("timers", tuple(due), lambda timers: self._scheduler.fire(due, timers))
        for entry in self.entries:
            if isinstance(entry, SideEffect):
                perform = self._perform_first if entry.urgent else self._scheduler.perform
                self._spawn(entry.name, (entry.name,), partial(perform, entry), urgent=entry.urgent)

    def stop(self) -> None:
        self._stopping.set()
        for wake, stopped in self._threads:
            wake.set()
            stopped.wait()

    def _perform_first(self, effect: SideEffect, timers: Sequence[DueTimer]) -> None:
        self._chassis.urgent_first.claim()
        try:
            self._scheduler.perform(effect, timers)
        finally:
            self._chassis.urgent_first.release()

    def _spawn(self, identifier: str, names: tuple[str, ...], fire: Fire, *, urgent: bool = False) -> None:
        wake, stopped = threading.Event(), threading.Event()
        self._threads.append((wake, stopped))
        if urgent:
            self._chassis.wake_when_due(frozenset(names), self._chassis.urgent_first.claim)
        self._chassis.wake_when_due(frozenset(names), wake.set)
        self.container.spawn_managed_thread(lambda: self._watch(names, fire, wake, stopped), identifier=identifier)

    def _watch(self, names: tuple[str, ...], fire: Fire, wake: threading.Event, stopped: threading.Event) -> None:
        while not self._stopping.is_set():
            wake.clear()
            try:
                timers = self._scheduler.due(names)
                if timers:
                    fire(timers)
                    metrics.TIMERS_FIRED.inc(len(timers))
                    continue
            except DBAPIError as error:
                log.warning("schedule_interrupted", **describe(error))
            wake.wait(POLL_SECONDS)
        stopped.set()
