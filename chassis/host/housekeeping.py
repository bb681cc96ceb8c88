"""The entrypoint that keeps a service's house: forgets what is too old, puts back what was parked by mishap."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import structlog
from kombu import Connection
from nameko.extensions import Entrypoint
from sqlalchemy.exc import DBAPIError

from chassis.audit import Anchor, write_anchor
from chassis.bus.connection import LOST
from chassis.bus.returns import put_back
from chassis.clock import Clock
from chassis.host.ports import ports_of
from chassis.logs import describe
from chassis.store.audit import head
from chassis.store.story import forget
from chassis.store.wiping import Wiper

EVERY_SECONDS = 600.0
FORGET_EVERY = timedelta(days=1)

log = structlog.get_logger()


def put_back_parked(amqp_uri: str, service: str, clock: Clock) -> None:
    """Puts back what was handed out too often. Raises one of LOST."""
    with Connection(amqp_uri, transport_options={"confirm_publish": True}) as connection:
        count = put_back(connection.default_channel, service, clock.now())
    if count:
        log.warning("put_back_after_delivery_limit", messages=count)


class Housekeeping(Entrypoint):  # type: ignore[misc]
    """At the start and once a day forgets inbox marks and stories that are older than the settings ask for; more often
    anchors the audit log, wipes destroyed keys off the disk, and puts back messages that were parked only because they
    had been handed out too often."""

    def setup(self) -> None:
        self._ports = ports_of(self.container)
        self._stopping = threading.Event()
        self._anchored: Anchor | None = None
        data_keys = self._ports.metadata.tables.get("data_key")
        self._wiper = None if data_keys is None else Wiper(self._ports.database, data_keys)

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run, identifier="housekeeping")

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        forget_at = self._ports.clock.now()
        while not self._stopping.is_set():
            try:
                if self._ports.clock.now() >= forget_at:
                    self._forget(self._ports)
                    forget_at = self._ports.clock.now() + FORGET_EVERY
                self._anchor(self._ports)
                if self._wiper and not self._wiper.wipe():
                    log.info("keys_not_wiped_yet")
                put_back_parked(self._ports.settings.amqp_uri, self.container.service_name, self._ports.clock)
            except (*LOST, DBAPIError) as error:
                log.warning("housekeeping_interrupted", **describe(error))
            self._stopping.wait(EVERY_SECONDS)

    def _anchor(self, ports: Any) -> None:
        """Writes down how far the audit log has come: in the log, and in a file if a folder is set."""
        with ports.database.reading() as unit:
            newest = head(unit.session.connection(), ports.database.tables.audit_entry)
        if newest is None or newest == self._anchored:
            return
        log.info("audit_anchored", sequence=newest.sequence, hash=newest.hash)
        if ports.settings.audit_anchors:
            write_anchor(ports.settings.audit_anchors, self.container.service_name, newest, at=ports.clock.now())
        self._anchored = newest

    def _forget(self, ports: Any) -> None:
        database, settings = ports.database, ports.settings
        database.purge_inbox(settings.inbox_retention_days)
        before = database.clock.now() - timedelta(days=settings.story_retention_days)
        with database.begin() as transaction:
            forget(transaction, database.tables.story, before)
