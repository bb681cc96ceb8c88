"""Anchors a service's audit log from time to time, and checks that the log still agrees with its anchors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import structlog

from chassis.audit.anchors import Anchors, read_anchors, write_anchor, write_newest
from chassis.audit.chain import Anchor
from chassis.audit.store import contradicted, head
from chassis.store.database import Database

CONTRADICTS, UNREADABLE = "audit_contradicts_anchor", "audit_anchor_unreadable"

log = structlog.get_logger()


class Anchoring:
    """Anchors one service's audit log. Without a folder anchors go to the service's log only, and the audit log is
    checked against the newest anchor since the start alone."""

    def __init__(self, database: Database, folder: Path | None) -> None:
        self._database, self._folder = database, folder
        self._newest: Anchor | None = None
        self._is_well = False
        """Whether the audit log agreed with every anchor at the last full check."""

    def anchor(self) -> Mapping[str, int]:
        """Adds an anchor for the newest entry, unless the audit log contradicts an earlier anchor.

        Returns, by the name of the alarm, how many anchors are contradicted and how many lines can't be read.
        """
        written = read_anchors(self._folder, self._database.service) if self._folder else Anchors()
        known = [*written.anchors, *([self._newest] if self._newest else [])]
        with self._database.reading() as unit:
            connection, table = unit.session.connection(), self._database.tables.audit_entry
            broken = contradicted(connection, table, known)
            newest = head(connection, table)
        if written.unreadable:
            log.error(UNREADABLE, lines=list(written.unreadable))
        if broken:
            first = min(broken, key=lambda anchor: anchor.sequence)
            log.error(CONTRADICTS, anchors=len(broken), sequence=first.sequence, hash=first.hash)
        elif newest:
            if self._folder:
                write_anchor(self._folder, self._database.service, newest, at=self._database.clock.now())
            self._remember(newest)
        self._is_well = not broken
        return {CONTRADICTS: len(set(broken)), UNREADABLE: len(written.unreadable)}

    def anchor_newest(self) -> None:
        """Replaces the newest anchor, in the file that holds it alone. Checks only the anchor before it, so it may be
        called often; `anchor` does the full check."""
        if not self._is_well:
            return
        with self._database.reading() as unit:
            connection, table = unit.session.connection(), self._database.tables.audit_entry
            broken = contradicted(connection, table, [self._newest] if self._newest else [])
            newest = head(connection, table)
        if newest and not broken:
            if self._folder:
                write_newest(self._folder, self._database.service, newest, at=self._database.clock.now())
            self._remember(newest)

    def _remember(self, newest: Anchor) -> None:
        if newest != self._newest:
            log.info("audit_anchored", sequence=newest.sequence, hash=newest.hash)
        self._newest = newest
