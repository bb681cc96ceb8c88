"""Keeps the console's store in order: anchors its audit log outside, and deletes what has had its time.

What `chassis.host.maintenance` does for a service, in a thread of the console's own process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from chassis.audit.anchoring import Anchoring
from chassis.observability.logs import describe
from chassis.store.database import Database
from chassis.store.event_log import forget

ANCHOR_SECONDS, ROUNDS_A_DAY = 60.0, 24 * 60
"""How often a round is made: its first of a day is also for deleting."""
KEEP_STORY = timedelta(days=400)

log = structlog.get_logger()


class Upkeep:
    """`purge` deletes what accounts no longer need."""

    def __init__(self, database: Database, anchors: Path | None, purge: Callable[[], None]) -> None:
        self._database, self._purge = database, purge
        self._anchoring = Anchoring(database, anchors)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Anchors what is on record."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._attempt(lambda: self._anchoring.anchor_newest())

    def _run(self) -> None:
        rounds = 0
        while not self._stopping.is_set():
            if rounds % ROUNDS_A_DAY == 0:
                self._attempt(self.forget)
                self._attempt(lambda: self._anchoring.anchor())
            self._attempt(lambda: self._anchoring.anchor_newest())
            rounds += 1
            self._stopping.wait(ANCHOR_SECONDS)

    def forget(self) -> None:
        """Deletes old sign-ins and links, and the chassis's own rows that are too old."""
        self._purge()
        self._database.purge_answers()
        with self._database.begin() as transaction:
            forget(transaction, self._database.tables.story, self._database.clock.now() - KEEP_STORY)

    @staticmethod
    def _attempt(what: Callable[[], object]) -> None:
        try:
            what()
        except (DBAPIError, OSError) as error:
            log.error("upkeep_interrupted", **describe(error))
