"""The archive of events: what was heard, in the order in which it was, without what is sealed; and snapshots."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, delete, select, tuple_
from sqlalchemy.orm import Session

from chassis.ports import UnitOfWork
from contracts.catalogue import BY_NAME
from contracts.commands.console import ListEvents
from contracts.commands.snapshots import (
    ConcernSnapshot,
    ReferralSnapshot,
    SearchSnapshot,
    Snapshot,
    SubsidySnapshot,
)
from contracts.event import Event
from contracts.vocabulary import ReferralId
from services.console.store.tables import archive

SEALED = "-"
"""What stands in the archive for a sealed part."""

SNAPSHOTS: Mapping[str, type[Event]] = {
    kind.__name__: kind for kind in (ReferralSnapshot, SearchSnapshot, SubsidySnapshot, ConcernSnapshot)
}

_IS_EVENT = archive.c.event.not_in(SNAPSHOTS)

_SEALED_FIELDS = {
    event: tuple(name for name, field in event.schema.fields.items() if field.metadata.get("sealed_to"))
    for event in BY_NAME.values()
}


def add_heard(unit: UnitOfWork[Any], event: Event) -> None:
    """Keeps the event that is being handled."""
    assert unit.envelope is not None
    _add(unit, event, unit.envelope.id, unit.sequence, unit.envelope.time)


def add_own(unit: UnitOfWork[Any], event: Event) -> None:
    """Keeps an event of the console's own, which it doesn't hear."""
    _add(unit, event, unit.new_id(), 0, unit.now)


def _add(unit: UnitOfWork[Any], event: Event, event_id: UUID, number: int, happened_at: datetime) -> None:
    unit.insert(archive, **_row(event, event_id, number, happened_at))


def _row(event: Event, event_id: UUID, number: int, happened_at: datetime) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "publisher": event.publisher,
        "event": type(event).__name__,
        "subject_id": event.subject,
        "referral_id": getattr(event, "referral_id", None),
        "number": number,
        "happened_at": happened_at,
        "body": without_sealed(event),
    }


def without_sealed(event: Event) -> str:
    """The event as JSON text, with a dash for each part that is sealed."""
    dashes = {name: SEALED for name in _SEALED_FIELDS.get(type(event), ()) if getattr(event, name) is not None}
    return (replace(event, **dashes) if dashes else event).encode().decode()


def read(row: Row[Any]) -> Event | None:
    """The event of a row; None of a kind that there is no more. Raises InvalidShape."""
    kind = BY_NAME.get((row.publisher, row.event)) or SNAPSHOTS.get(row.event)
    return kind.from_json(orjson.loads(row.body)) if kind else None


def events_of(session: Session, referral_ids: Iterable[ReferralId]) -> Iterator[Row[Any]]:
    """All events about these referrals, in the order in which they were heard; snapshots first.

    What is newer than a snapshot then counts beside it, whichever was here first.
    """
    wanted = select(archive).where(archive.c.referral_id.in_(list(referral_ids)))
    return iter(session.execute(wanted.order_by(_IS_EVENT, archive.c.position)))


def keep_snapshots(unit: UnitOfWork[Any], told: Collection[Snapshot]) -> int:
    """Keeps those that are news, each in the place of the one before. Returns how many these were."""
    wanted = select(archive.c.event, archive.c.subject_id, archive.c.number, archive.c.body)
    about = archive.c.subject_id.in_([snapshot.subject for snapshot in told])
    found = unit.session.execute(wanted.where(~_IS_EVENT, about))
    known: dict[tuple[str, UUID], Any] = {(row.event, row.subject_id): row for row in found}
    news = [snapshot for snapshot in told if _is_news(snapshot, known.get((type(snapshot).__name__, snapshot.subject)))]
    replaced = [(type(snapshot).__name__, snapshot.subject) for snapshot in news]
    unit.session.execute(delete(archive).where(tuple_(archive.c.event, archive.c.subject_id).in_(replaced)))
    if news:
        rows = [_row(snapshot, unit.new_id(), snapshot.number, unit.now) for snapshot in news]
        unit.session.execute(archive.insert(), rows)
    return len(news)


def _is_news(snapshot: Snapshot, known: Any) -> bool:
    return known is None or (snapshot.number >= known.number and without_sealed(snapshot) != known.body)


def page_of(session: Session, asked: ListEvents) -> Sequence[Row[Any]]:
    """The newest events about a referral that are asked for, or those before a position. Snapshots are none."""
    wanted = select(archive).where(archive.c.referral_id == asked.referral_id, _IS_EVENT)
    wanted = wanted.order_by(archive.c.position.desc())
    if asked.publisher is not None:
        wanted = wanted.where(archive.c.publisher == asked.publisher)
    if asked.subject_id is not None:
        wanted = wanted.where(archive.c.subject_id == asked.subject_id)
    if asked.before is not None:
        wanted = wanted.where(archive.c.position < asked.before)
    return session.execute(wanted.limit(asked.limit)).all()


def referrals_after(session: Session, after: ReferralId | None, limit: int) -> list[ReferralId]:
    """The next referrals of which something was heard, by their identifiers."""
    wanted = select(archive.c.referral_id).where(archive.c.referral_id.is_not(None)).distinct()
    if after is not None:
        wanted = wanted.where(archive.c.referral_id > after)
    return list(session.execute(wanted.order_by(archive.c.referral_id).limit(limit)).scalars())


def erase(session: Session, referral_id: ReferralId) -> None:
    session.execute(delete(archive).where(archive.c.referral_id == referral_id))
