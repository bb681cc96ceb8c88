"""The audit log in a service's database, an append-only table: triggers refuse every other change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, inspect, select, text
from sqlalchemy.orm import Session

from chassis.audit.chain import Anchor, AuditAction, Verdict, chained, verify
from chassis.store.engine import open_engine

ROWS_AT_ONCE = 1_000


def append(
    session: Session,
    audit: Table,
    *,
    at: datetime,
    who: str,
    what: AuditAction,
    subject_id: UUID | None,
    reason: str | None,
) -> None:
    """Adds an entry, in the session's own transaction. `reason` is a code, never free text, since it can't be
    erased."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":  # on SQLite a transaction has the only write lock anyway
        connection.exec_driver_sql("LOCK TABLE audit_entry IN SHARE ROW EXCLUSIVE MODE")
    entry = {
        "at": at.isoformat(),
        "who": who,
        "what": what.value,
        "subject_id": str(subject_id) if subject_id else None,
        "reason": reason,
    }
    linked = chained(entry, after=head(connection, audit))
    connection.execute(audit.insert(), {**linked, "at": at, "subject_id": subject_id})


def head(connection: Connection, audit: Table) -> Anchor | None:
    """The newest entry's number and hash; None if the log is empty."""
    newest = select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return Anchor(row.sequence, row.hash) if row else None


def reach(database_url: str) -> int:
    """The newest entry's number in a database that no service uses; 0 if the database is older than the audit log."""
    engine = open_engine(database_url)
    with engine.connect().execution_options(read_only=True) as connection:
        if not inspect(connection).has_table("audit_entry"):
            return 0
        number: int | None = connection.execute(text("SELECT max(sequence) FROM audit_entry")).scalar()
    engine.dispose()
    return number or 0


def entries(connection: Connection, audit: Table, subject_id: UUID | None = None) -> Iterator[dict[str, Any]]:
    """The entries as they were hashed, oldest first; only those about `subject_id`, if given."""
    wanted = select(audit).order_by(audit.c.sequence).execution_options(yield_per=ROWS_AT_ONCE)
    if subject_id is not None:
        wanted = wanted.where(audit.c.subject_id == subject_id)
    for number, row in enumerate(connection.execute(wanted).mappings()):
        if number % ROWS_AT_ONCE == 0:
            time.sleep(0)  # lets other greenlets run
        subject = str(row["subject_id"]) if row["subject_id"] else None
        yield {**row, "at": row["at"].isoformat(), "subject_id": subject}


def page(
    connection: Connection,
    audit: Table,
    *,
    who: str | None = None,
    subject_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    what: str | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """A page of entries, the newest first, without what chains them. `since` is included, and `until` is not."""
    columns = (audit.c.sequence, audit.c.at, audit.c.who, audit.c.what, audit.c.subject_id, audit.c.reason)
    wanted = select(*columns).order_by(audit.c.sequence.desc()).limit(limit)
    if who is not None:
        wanted = wanted.where(audit.c.who == who)
    if subject_id is not None:
        wanted = wanted.where(audit.c.subject_id == subject_id)
    if since is not None:
        wanted = wanted.where(audit.c.at >= since)
    if until is not None:
        wanted = wanted.where(audit.c.at < until)
    if what is not None:
        wanted = wanted.where(audit.c.what == what)
    if before is not None:
        wanted = wanted.where(audit.c.sequence < before)
    return [dict(row) for row in connection.execute(wanted).mappings()]


def check(connection: Connection, audit: Table, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Verifies the whole chain, and that it still has every entry that was anchored."""
    return verify(entries(connection, audit), anchors=anchors)


def contradicted(connection: Connection, audit: Table, anchors: Sequence[Anchor]) -> list[Anchor]:
    """The anchors whose entry is missing or different. Reads only these entries, so it may be called often."""
    found: list[Anchor] = []
    for start in range(0, len(anchors), ROWS_AT_ONCE):
        page = anchors[start : start + ROWS_AT_ONCE]
        numbers = [anchor.sequence for anchor in page]
        wanted = select(audit.c.sequence, audit.c.hash).where(audit.c.sequence.in_(numbers))
        there = {Anchor(sequence, hash_) for sequence, hash_ in connection.execute(wanted)}
        found += [anchor for anchor in page if anchor not in there]
    return found
