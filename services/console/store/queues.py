"""Work queues: what is in them, counted as it changes, and listed a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Uuid, delete, func, literal, select, tuple_
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.dialects import INSERTS
from chassis.store.prepared import prepared
from chassis.store.tables import Instant
from contracts.commands.console import Assigned, Cursor, ListQueue, Order, WorkQueue
from contracts.vocabulary import ReferralId
from services.console.domain.queues import Place, QueueLength
from services.console.domain.referral import Concern, Referral
from services.console.store.tables import concerns, queue_counts, queue_items, referrals

NO_DATE = datetime(2200, 1, 1, tzinfo=UTC)
"""Later than anything is due, and still a time that commands can carry."""


def _put(insert: Any) -> Any:
    new = insert(queue_items)
    others = {column.name: new.excluded[column.name] for column in queue_items.c if column.name != "subject_id"}
    return prepared(new.on_conflict_do_update(index_elements=["subject_id"], set_=others))


_PUT = {dialect: _put(insert) for dialect, insert in INSERTS.items()}


def put(session: Session, item: Referral | Concern, before: Place | None, now: Place | None) -> None:
    """Puts something into the queue where it belongs now, or takes it out of the one where it was, and counts it."""
    if now is not None:
        session.execute(_PUT[session.get_bind().dialect.name], values_of(item, now))
    elif before is not None:
        session.execute(delete(queue_items).where(queue_items.c.subject_id == item.id))
    for queue in sorted({place.queue for place in (before, now) if place}):
        was, is_ = before is not None and before.queue is queue, now is not None and now.queue is queue
        add(session, queue, is_ - was)


def values_of(item: Referral | Concern, place: Place) -> dict[str, Any]:
    """Concerns are nobody's and have no group: they are listed whole, always."""
    listed = (
        {name: getattr(item, name) for name in ("assigned_to", "client_group", "risk_level")}
        if isinstance(item, Referral)
        else dict.fromkeys(("assigned_to", "client_group", "risk_level"))
    )
    return {
        "subject_id": item.id,
        "referral_id": item.id if isinstance(item, Referral) else item.referral_id,
        "queue": place.queue,
        "since": place.since,
        "due_at": place.due_at,
        "due_by": place.due_at or NO_DATE,
        "reason": place.reason,
        **listed,
    }


def add(session: Session, queue: WorkQueue, more: int) -> None:
    """Counts so many more in a queue, and that something in it has changed: written once, when the unit ends."""
    length = identity_map.lock(session, QueueLength, queue)
    if length is None:
        identity_map.lock_key(session, QueueLength, queue)
        length = identity_map.lock(session, QueueLength, queue)
    if length is None:
        length = QueueLength(queue=queue)
        session.add(length)
    length.add(more)


def take_out(session: Session, referral_ids: Sequence[ReferralId]) -> list[WorkQueue]:
    """Takes referrals and their concerns out of every queue. Returns in which they were."""
    theirs = queue_items.c.referral_id.in_(referral_ids)
    by_queue = select(queue_items.c.queue, func.count()).where(theirs).group_by(queue_items.c.queue)
    found = session.execute(by_queue.order_by(queue_items.c.queue)).all()
    for queue, number in found:
        add(session, queue, -number)
    session.execute(delete(queue_items).where(theirs))
    return [queue for queue, _ in found]


def put_many(session: Session, items: Sequence[tuple[Referral | Concern, Place]]) -> None:
    """Puts what is in no queue into theirs."""
    if not items:
        return
    session.execute(queue_items.insert(), [values_of(item, place) for item, place in items])
    for queue, number in sorted(Counter(place.queue for _, place in items).items()):
        add(session, queue, number)


def version_of(session: Session, queue: WorkQueue) -> int:
    return session.execute(select(queue_counts.c.version).where(queue_counts.c.queue == queue)).scalar() or 0


@dataclass(frozen=True)
class Counted:
    """How much is in a queue."""

    queue: WorkQueue
    total: int
    overdue: int
    mine: int
    oldest_at: datetime | None


def counts(session: Session, *, mine: UUID | None, now: datetime) -> list[Counted]:
    """Of each queue; what changes with the clock alone is counted by index."""
    items = queue_items.c
    totals = _by_queue(session, select(queue_counts.c.queue, queue_counts.c.total))
    late = _numbers(session, items.due_by < now)
    my = _numbers(session, items.assigned_to == mine) if mine else {}
    oldest = _by_queue(session, select(items.queue, func.min(items.since)).group_by(items.queue))
    return [
        Counted(queue, totals.get(queue, 0), late.get(queue, 0), my.get(queue, 0), oldest.get(queue))
        for queue in WorkQueue
    ]


def _numbers(session: Session, which: ColumnElement[bool]) -> dict[WorkQueue, int]:
    wanted = select(queue_items.c.queue, func.count()).where(which).group_by(queue_items.c.queue)
    return _by_queue(session, wanted)


def _by_queue(session: Session, wanted: Select[Any]) -> dict[WorkQueue, Any]:
    return {row[0]: row[1] for row in session.execute(wanted)}


def unacknowledged(session: Session) -> int:
    """How many concerns nobody has in hand."""
    waiting = concerns.c.acknowledged_at.is_(None) & concerns.c.raised_at.is_not(None) & concerns.c.outcome.is_(None)
    return session.execute(select(func.count()).select_from(concerns).where(waiting)).scalar_one()


def page(
    session: Session, asked: ListQueue, *, mine: UUID | None, now: datetime
) -> tuple[Sequence[Row[Any]], Cursor | None]:
    """A page's rows, and where the next one begins."""
    items = queue_items.c
    key = items.due_by if asked.order is Order.DUE else items.since
    wanted = select(items.subject_id).where(items.queue == asked.queue, *_filters(asked, mine, now))
    if asked.after:
        here = tuple_(key, items.subject_id)
        there = tuple_(literal(asked.after.at, Instant()), literal(asked.after.subject_id, Uuid()))
        wanted = wanted.where(here < there if asked.order is Order.NEWEST else here > there)
    order = (key.desc(), items.subject_id.desc()) if asked.order is Order.NEWEST else (key, items.subject_id)
    found = wanted.order_by(*order).limit(asked.limit + 1).subquery()
    rows = session.execute(
        select(queue_items, *_OF_REFERRALS, *_OF_CONCERNS)
        .join(found, found.c.subject_id == items.subject_id)
        .join(referrals, referrals.c.id == items.referral_id)
        .outerjoin(concerns, concerns.c.id == items.subject_id)
        .order_by(*order)
    ).all()
    if len(rows) <= asked.limit:
        return rows, None
    last = rows[asked.limit - 1]
    at = last.due_by if asked.order is Order.DUE else last.since
    return rows[: asked.limit], Cursor(at=at, subject_id=last.subject_id)


_OF_REFERRALS = [
    referrals.c[name]
    for name in (
        "route", "local_authority", "needs_safeguarding_lead", "place", "offers_made", "offer_distance_km",
    )
]  # fmt: skip
_OF_CONCERNS = [concerns.c[name] for name in ("severity", "category", "acknowledged_at")]


def _filters(asked: ListQueue, mine: UUID | None, now: datetime) -> list[ColumnElement[bool]]:
    items = queue_items.c
    filters: list[ColumnElement[bool]] = []
    if asked.assigned is Assigned.MINE:
        filters.append(items.assigned_to == mine)
    elif asked.assigned is Assigned.NOBODYS:
        filters.append(items.assigned_to.is_(None))
    if asked.overdue:
        filters.append(items.due_by < now)
    if asked.client_group:
        filters.append(items.client_group == asked.client_group)
    if asked.risk_level:
        filters.append(items.risk_level == asked.risk_level)
    return filters
