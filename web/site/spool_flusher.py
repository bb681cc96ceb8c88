"""Delivers spooled messages in the background."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from chassis.observability.logs import describe
from web.publisher.publisher import Publisher

log = structlog.get_logger()


class SpoolFlusher:
    """Delivers what lies in the spool, at the start and then at an interval, until it is stopped."""

    def __init__(self, publisher: Publisher, every: timedelta) -> None:
        self._publisher, self._every = publisher, every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool_flusher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns once a delivery that has begun is finished."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._deliver()
            if self._stopped.wait(self._every.total_seconds()):
                return

    def _deliver(self) -> None:
        try:
            waiting = self._publisher.deliver_spooled()
        except Exception as error:
            # Whatever the error (an unreadable file, a full disk), the next round must still run.
            log.error("delivery_failed", **describe(error))
            return
        if self._publisher.put_aside:
            log.error("spool_unreadable", files=self._publisher.put_aside)
        if waiting:
            log.warning("spooled", waiting=waiting)
