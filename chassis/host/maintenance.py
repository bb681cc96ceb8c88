"""The entrypoint for a service's housekeeping: deletes what is too old, anchors the audit log, returns messages."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import structlog
from nameko.extensions import Entrypoint
from sqlalchemy.exc import DBAPIError

from chassis.audit.anchoring import Anchoring
from chassis.bus.redelivery import Returns
from chassis.bus.topology import LIMIT
from chassis.host.provider import chassis_of
from chassis.observability.logs import describe
from chassis.privacy.key_wiping import Wiper
from chassis.store.event_log import forget

EVERY_SECONDS = 600.0
ANCHOR_SECONDS = 60.0
"""The longest time that an audit entry is in no anchor: entries newer than this could be cut off unnoticed."""

FORGET_EVERY = timedelta(days=1)

log = structlog.get_logger()


class Housekeeping(Entrypoint):  # type: ignore[misc]
    """Does four jobs.

    At the start and once a day it deletes inbox entries, answers to commands and events of the event log that are too
    old. It anchors the audit log: fully every EVERY_SECONDS, its newest entry within ANCHOR_SECONDS of being added and
    when the service stops. It wipes destroyed keys off the disk. And it puts back messages that left their lane
    only because they were delivered too often.
    """

    def setup(self) -> None:
        self._chassis = chassis_of(self.container)
        self._stopping = threading.Event()
        self._returns = Returns(
            service=self.container.service_name,
            connect=lambda: self._chassis.connect(LIMIT),
            clock=self._chassis.clock,
            one_user_each=self._chassis.one_user_each,
        )
        self._woken = threading.Event()
        self._recorded = False
        self._chassis.wake_when_recorded(self._note_record, at_the_end=self._anchor_newest)
        self._anchoring = Anchoring(self._chassis.database, self._chassis.settings.audit_anchors)
        data_keys = self._chassis.metadata.tables.get("data_key")
        self._wiper = None if data_keys is None else Wiper(self._chassis.database, data_keys)

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run, identifier="housekeeping")
        self.container.spawn_managed_thread(self._returns.run, identifier="returns")

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        self._returns.stop()

    def _note_record(self) -> None:
        self._recorded = True
        self._woken.set()

    def _run(self) -> None:
        forget_at = self._chassis.clock.now()
        while not self._stopping.is_set():
            try:
                if self._chassis.clock.now() >= forget_at:
                    self._forget(self._chassis)
                    forget_at = self._chassis.clock.now() + FORGET_EVERY
                self._anchor()
                if self._wiper and not self._wiper.wipe():
                    log.info("keys_not_wiped_yet")
            except DBAPIError as error:
                log.warning("housekeeping_interrupted", **describe(error))
            self._wait(time.monotonic() + EVERY_SECONDS)

    def _wait(self, until: float) -> None:
        """Waits for the next round; meanwhile anchors new entries of the audit log."""
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            self._woken.wait(left)
            self._woken.clear()
            if self._recorded and not self._stopping.wait(ANCHOR_SECONDS):
                self._recorded = False
                self._anchor_newest()

    def _anchor_newest(self) -> None:
        try:
            self._anchoring.anchor_newest()
        except (DBAPIError, OSError) as error:
            log.error("audit_not_anchored", **describe(error))

    def _anchor(self) -> None:
        """Checks and anchors the audit log; what is wrong with it is an alarm until it is put right."""
        try:
            self._chassis.found.update(self._anchoring.anchor())
        except OSError as error:  # the other jobs must go on
            log.error("audit_not_anchored", **describe(error))

    def _forget(self, chassis: Any) -> None:
        database, settings = chassis.database, chassis.settings
        database.purge_inbox(settings.inbox_retention_days)
        database.purge_answers()
        before = database.clock.now() - timedelta(days=settings.story_retention_days)
        with database.begin() as transaction:
            forget(transaction, database.tables.story, before)
