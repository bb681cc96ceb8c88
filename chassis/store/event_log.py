"""The event log: which events a service has emitted about each referral, and which messages it has handled.

It holds identifiers, event names and times only. `leeward trace` puts the logs of all services together. The table is
called `story`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Table, delete, or_, select
from sqlalchemy.orm import Session

from chassis.ids import first_id_of
from chassis.store.fastpath.bulk import Rows, moment
from chassis.store.outbox import Waiting
from chassis.store.tables import ChassisTables
from contracts.envelope import CAUSATION, CORRELATION
from contracts.event import Event

STORY_COLUMNS = {
    "event_id": "uuid",
    "type": "text",
    "referral_id": "uuid",
    "correlation_id": "uuid",
    "causation_id": "uuid",
    "emitted_at": "timestamptz",
}
"""The table's columns, with PostgreSQL's names of their types."""


def story_rows(events: Iterable[Event], waiting: Sequence[Waiting]) -> Rows:
    """The event log's rows for emitted events, given their outbox rows, which were all created at the same time. Events
    that are not about a referral are left out."""
    at = moment(waiting[0].created_at) if waiting else ""
    rows = [
        (
            row.id.hex,
            row.routing_key,
            referral_id.hex,
            row.headers[CORRELATION].replace("-", ""),
            row.headers[CAUSATION].replace("-", "") if CAUSATION in row.headers else None,
            at,
        )
        for event, row in zip(events, waiting, strict=True)
        if (referral_id := getattr(event, "referral_id", None)) is not None
    ]
    return Rows("story", STORY_COLUMNS, rows)


def find_events(
    session: Session,
    tables: ChassisTables,
    *,
    referral_ids: Iterable[UUID],
    correlation_ids: Iterable[UUID],
    message_ids: Iterable[UUID],
) -> dict[str, Any]:
    """As JSON: `emitted`, the rows about these referrals or with these correlation ids, and `handled`, when each of
    these messages was handled, as far as the inbox still has it."""
    story, inbox = tables.story, tables.inbox
    asked = or_(story.c.referral_id.in_(list(referral_ids)), story.c.correlation_id.in_(list(correlation_ids)))
    handled = select(inbox.c.message_id, inbox.c.handled_at).where(inbox.c.message_id.in_(list(message_ids)))
    emitted = session.execute(select(story).where(asked).order_by(story.c.event_id))
    return {
        "emitted": [_json(row._mapping) for row in emitted],
        "handled": {str(id_): at.isoformat() for id_, at in session.execute(handled)},
    }


def forget(transaction: Connection, story: Table, before: datetime) -> None:
    """Deletes events that were emitted before a moment. It compares ids, which hold the time, and so needs no index on
    the time."""
    transaction.execute(delete(story).where(story.c.event_id < first_id_of(before)))


def _json(row: RowMapping) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else None if value is None else str(value)
        for name, value in row.items()
    }
