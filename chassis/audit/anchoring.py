"""Anchors a service's audit log from time to time, and finds out whether it still is what was anchored."""

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
    """One service's. Without a folder the log alone is told, and only what was anchored since the start is known."""

    def __init__(self, database: Database, folder: Path | None) -> None:
        self._database, self._folder = database, folder
        self._newest: Anchor | None = None
        self._is_well = False
        """Whether the log contradicted no anchor when all of them were looked at last."""

    def anchor(self) -> Mapping[str, int]:
        """Writes down how far the log has come, unless it contradicts what was written down before.

        Returns, by the name of the alarm, how many anchors are contradicted and how many lines are no anchors.
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
            self._say(newest)
        self._is_well = not broken
        return {CONTRADICTS: len(set(broken)), UNREADABLE: len(written.unreadable)}

    def anchor_newest(self) -> None:
        """Writes down how far the log has come since, where that is replaced by what comes next. Looks at the anchor
        before alone, so it may be called often; what is wrong is found by `anchor`."""
        if not self._is_well:
            return
        with self._database.reading() as unit:
            connection, table = unit.session.connection(), self._database.tables.audit_entry
            broken = contradicted(connection, table, [self._newest] if self._newest else [])
            newest = head(connection, table)
        if newest and not broken:
            if self._folder:
                write_newest(self._folder, self._database.service, newest, at=self._database.clock.now())
            self._say(newest)

    def _say(self, newest: Anchor) -> None:
        if newest != self._newest:
            log.info("audit_anchored", sequence=newest.sequence, hash=newest.hash)
        self._newest = newest
