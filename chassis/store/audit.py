"""The audit log in a service's database: only ever added to, which the database itself sees to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select
from sqlalchemy.orm import Session

from chassis.audit import Anchor, Deed, Verdict, chained, verify
from chassis.store.append_only import forbidding

ROWS_AT_ONCE = 1_000

FORBIDDING = forbidding("audit_entry", "audit entries are only ever added")
"""What a migration runs."""


def append(
    session: Session, audit: Table, *, at: datetime, who: str, what: Deed, subject_id: UUID | None, reason: str | None
) -> None:
    """Adds an entry, in the session's own transaction. `reason` is a code, never words: this can't be erased."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":  # SQLite has let nobody else in since the transaction began
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
    """The newest entry's number and hash; None if nothing is on record yet."""
    newest = select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return Anchor(row.sequence, row.hash) if row else None


def entries(connection: Connection, audit: Table, subject_id: UUID | None = None) -> Iterator[dict[str, Any]]:
    """The entries as they were hashed, oldest first; those about one subject if it is named."""
    wanted = select(audit).order_by(audit.c.sequence).execution_options(yield_per=ROWS_AT_ONCE)
    if subject_id is not None:
        wanted = wanted.where(audit.c.subject_id == subject_id)
    for row in connection.execute(wanted).mappings():
        subject = str(row["subject_id"]) if row["subject_id"] else None
        yield {**row, "at": row["at"].isoformat(), "subject_id": subject}


def check(connection: Connection, audit: Table, anchor: Anchor | None = None) -> Verdict:
    """Whether the whole chain holds, and still has the entry that was anchored."""
    return verify(entries(connection, audit), anchor=anchor)
