"""The entrypoint that fires a service's timers inside a nameko container."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog
from nameko.extensions import Entrypoint
from sqlalchemy.exc import DBAPIError

from chassis import metrics
from chassis.host.ports import ports_of
from chassis.logs import describe
from chassis.store.schedule import Due, DueTimer, Effect, Scheduler

POLL_SECONDS = 0.25

log = structlog.get_logger()

Fire = Callable[[DueTimer], None]


class Schedule(Entrypoint):  # type: ignore[misc]
    """Fires timers. Each effect has a thread of its own, so that a slow one delays no other."""

    def __init__(self, entries: tuple[Due | Effect, ...], **kwargs: Any) -> None:
        self.entries = entries
        super().__init__(**kwargs)

    def setup(self) -> None:
        self._ports = ports_of(self.container)
        self._scheduler = Scheduler(self._ports.database, self._ports.unit)
        self._stopping = threading.Event()
        self._threads: list[tuple[threading.Event, threading.Event]] = []

    def start(self) -> None:
        due = {entry.name: entry for entry in self.entries if isinstance(entry, Due)}
        self._spawn("timers", tuple(due), lambda timer: self._scheduler.fire(due[timer.name], timer))
        for entry in self.entries:
            if isinstance(entry, Effect):
                self._spawn(entry.name, (entry.name,), self._performer(entry))

    def stop(self) -> None:
        self._stopping.set()
        for wake, stopped in self._threads:
            wake.set()
            stopped.wait()

    def _performer(self, effect: Effect) -> Fire:
        return lambda timer: self._scheduler.perform(effect, timer)

    def _spawn(self, identifier: str, names: tuple[str, ...], fire: Fire) -> None:
        wake, stopped = threading.Event(), threading.Event()
        self._threads.append((wake, stopped))
        self._ports.wake_after_commit(wake.set)
        self.container.spawn_managed_thread(lambda: self._watch(names, fire, wake, stopped), identifier=identifier)

    def _watch(self, names: tuple[str, ...], fire: Fire, wake: threading.Event, stopped: threading.Event) -> None:
        while not self._stopping.is_set():
            wake.clear()
            try:
                for timer in self._scheduler.due(names):
                    if not self._stopping.is_set():
                        fire(timer)
                        metrics.TIMERS_FIRED.labels(timer.name).inc()
            except DBAPIError as error:
                log.warning("schedule_interrupted", **describe(error))
            wake.wait(POLL_SECONDS)
        stopped.set()
