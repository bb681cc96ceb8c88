"""The unit of work: everything a handler does, in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from chassis.ids import new_id
from chassis.store.story import story_rows
from chassis.store.tables import ChassisTables, Row
from contracts.envelope import Envelope, source_of, to_headers
from contracts.event import Event


def upsert(session: Session, table: Table) -> Any:
    """An INSERT that may say `on_conflict_do_update`, in the dialect of the session's database."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    return insert(table)


@dataclass(frozen=True)
class Emitted:
    """An event waiting for its unit to commit."""

    event: Event
    body: str
    cause: Envelope | None


@dataclass(kw_only=True)
class StoreUnit:
    """The unit of work that handlers run in; see `chassis.ports.Unit`.

    One unit may serve a whole batch: the chassis moves `envelope` from message to message.
    """

    service: str
    tools: Any
    now: datetime
    session: Session
    tables: ChassisTables
    envelope: Envelope | None = None
    _emitted: list[Emitted] = field(default_factory=list)
    _handled: dict[UUID, datetime] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        return (self.envelope.sequence if self.envelope else None) or 0

    def new_id(self) -> UUID:
        return new_id()

    def emit(self, event: Event) -> None:
        if event.publisher != self.service:
            raise TypeError(f"{self.service} can't publish {event.publisher}'s {type(event).__name__}")
        body = json.dumps(event.checked_json(), separators=(",", ":"))
        self._emitted.append(Emitted(event, body, self.envelope))

    def set_timer(self, timer: str, key: UUID | str, at: datetime, data: Mapping[str, Any] | None = None) -> None:
        row = {"name": timer, "key": str(key), "due_at": at, "data": dict(data or {}), "attempts": 0}
        statement = upsert(self.session, self.tables.timer).values(row)
        moved = {name: statement.excluded[name] for name in ("due_at", "data", "attempts")}
        self.session.execute(statement.on_conflict_do_update(index_elements=["name", "key"], set_=moved))

    def cancel_timer(self, timer: str, key: UUID | str) -> None:
        table = self.tables.timer
        self.session.execute(delete(table).where(table.c.name == timer, table.c.key == str(key)))

    def already_handled(self, message_ids: list[UUID]) -> set[UUID]:
        """Which of these messages have taken effect before."""
        inbox = self.tables.inbox
        found = self.session.execute(select(inbox.c.message_id).where(inbox.c.message_id.in_(message_ids)))
        return set(found.scalars()) | self._handled.keys()

    def mark_handled(self, message_id: UUID) -> None:
        self._handled[message_id] = self.now

    def finish(self) -> None:
        """Writes the inbox marks and the outbox rows and commits all of it."""
        if self._handled:
            rows = [{"message_id": id_, "handled_at": at} for id_, at in self._handled.items()]
            self.session.execute(self.tables.inbox.insert(), rows)
        if self._emitted:
            rows = self._outbox_rows()
            self.session.execute(self.tables.outbox.insert(), rows)
            if told := story_rows(self.emitted_events, rows):
                self.session.execute(self.tables.story.insert(), told)
        self.session.commit()

    @property
    def emitted_events(self) -> list[Event]:
        """What will be published when this unit commits, in order."""
        return [emitted.event for emitted in self._emitted]

    def _outbox_rows(self) -> list[Row]:
        sequence = self._reserve_sequences()
        rows = []
        for emitted in self._emitted:
            sequence[emitted.event.subject] += 1
            rows.append(self._outbox_row(emitted, sequence[emitted.event.subject]))
        return rows

    def _outbox_row(self, emitted: Emitted, sequence: int) -> Row:
        event, cause, id_ = emitted.event, emitted.cause, new_id()
        envelope = Envelope(
            id=id_,
            source=source_of(self.service),
            type=type(event).__name__,
            time=self.now,
            subject=str(event.subject),
            sequence=sequence,
            dataschema=event.dataschema(),
            correlation_id=(cause.correlation_id if cause else None) or id_,
            causation_id=cause.id if cause else None,
            traceparent=cause.traceparent if cause else None,
        )
        return {
            "id": id_,
            "exchange": event.exchange(),
            "routing_key": type(event).__name__,
            "headers": to_headers(envelope),
            "body": emitted.body,
            "created_at": self.now,
        }

    def _reserve_sequences(self) -> dict[UUID, int]:
        """Moves each subject's counter on by what is emitted about it, and gives where it stood before."""
        table = self.tables.subject_sequence
        wanted = Counter(emitted.event.subject for emitted in self._emitted)
        # Always in the same order, so that two replicas can't wait for each other.
        rows = [{"subject_id": subject, "last": wanted[subject]} for subject in sorted(wanted)]
        statement = upsert(self.session, table).values(rows)
        moved = statement.on_conflict_do_update(
            index_elements=["subject_id"], set_={"last": table.c.last + statement.excluded.last}
        ).returning(table.c.subject_id, table.c.last)
        return {subject: last - wanted[subject] for subject, last in self.session.execute(moved)}


def count(session: Session, table: Table) -> int:
    """How many rows a table holds."""
    return session.execute(select(func.count()).select_from(table)).scalar_one()
