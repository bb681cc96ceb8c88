"""The unit of work: everything a handler does, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from chassis.access.actor import Actor
from chassis.audit import store as audit_log
from chassis.audit.chain import AuditAction
from chassis.clock import Clock
from chassis.ids import new_id
from chassis.store.dialects import INSERTS
from chassis.store.event_log import story_rows
from chassis.store.fastpath.bulk import Rows, Statements, behind_of
from chassis.store.fastpath.flush import as_parts, take_new
from chassis.store.outbox import Outbox, Waiting, outbox_rows
from chassis.store.tables import ChassisTables, Row
from contracts.envelope import SEQUENCE, Envelope, source_of, text_of, to_headers
from contracts.event import Event


def upsert(session: Session, table: Table) -> Any:
    """An INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`, in the dialect of the session's database."""
    return INSERTS[session.get_bind().dialect.name](table)


Setting = tuple[datetime, Mapping[str, Any], datetime | None]
"""When a timer is due, its data, and the start of its duration (None for a timer with a fixed time)."""


class Emitted(NamedTuple):
    """An event waiting for its unit to commit."""

    event: Event
    body: str
    cause: Envelope | None


@dataclass(kw_only=True)
class StoreUnit:
    """The unit of work that handlers run in; see `chassis.ports.UnitOfWork`.

    One unit may serve a whole batch: the chassis moves `envelope` from message to message.
    """

    service: str
    dependencies: Any
    clock: Clock
    now: datetime
    session: Session
    tables: ChassisTables
    outbox: Outbox
    statements: Statements
    envelope: Envelope | None = None
    given_by: Actor | None = None
    """Who gives the command that is carried out, if this unit carries one out."""
    committed: list[Waiting] = field(default_factory=list)
    """The outbox rows of the emitted events, once this unit has committed."""
    timers_due: set[str] = field(default_factory=set)
    """The timers that were set for now or earlier."""
    has_recorded: bool = False
    """Whether something was added to the audit log."""
    _emitted: list[Emitted] = field(default_factory=list)
    _rows: dict[tuple[Table, tuple[str, ...]], list[Row]] = field(default_factory=dict)
    _timers: dict[tuple[str, str], Setting | None] = field(default_factory=dict)
    """By name and key: how the timer was last set in this unit, or None if it was cancelled."""

    @property
    def actor(self) -> Actor:
        if self.given_by is None:
            raise LookupError("nobody gave a command: this is a timer, or an event's handler")
        return self.given_by

    @property
    def sequence(self) -> int:
        return (self.envelope.sequence if self.envelope else None) or 0

    def new_id(self) -> UUID:
        return new_id()

    def insert(self, table: Table, **values: Any) -> None:
        self._rows.setdefault((table, tuple(values)), []).append(values)

    def emit(self, event: Event) -> None:
        if event.publisher != self.service:
            raise TypeError(f"{self.service} can't publish {event.publisher}'s {type(event).__name__}")
        self._emitted.append(Emitted(event, event.encode().decode(), self.envelope))

    def set_timer(self, timer: str, key: UUID | str, at: datetime, data: Mapping[str, Any] | None = None) -> None:
        self._set(timer, key, at, data, self.now if at <= self.now else None)

    def set_timer_after(
        self, timer: str, key: UUID | str, after: timedelta, data: Mapping[str, Any] | None = None
    ) -> None:
        self._set(timer, key, self.now + after, data, self.now)

    def _set(
        self, timer: str, key: UUID | str, at: datetime, data: Mapping[str, Any] | None, since: datetime | None
    ) -> None:
        if at <= self.now:
            self.timers_due.add(timer)
        self._timers[timer, str(key)] = at, data or {}, since

    def cancel_timer(self, timer: str, key: UUID | str) -> None:
        self._timers[timer, str(key)] = None

    def record_audit(
        self, what: AuditAction, *, who: str, subject_id: UUID | None = None, reason: str | None = None
    ) -> None:
        self.has_recorded = True
        audit_log.append(
            self.session,
            self.tables.audit_entry,
            at=self.now,
            who=who,
            what=what,
            subject_id=subject_id,
            reason=reason,
        )

    def claim(self, message_ids: Iterable[UUID]) -> set[UUID]:
        """Adds messages to the inbox, and returns those that were not in it, and so haven't been handled before."""
        unique = set(message_ids)
        new = self.statements.claim(self.session, unique, self.now)
        return unique if len(new) == len(unique) else {id_ for id_ in unique if id_.hex in new}

    def finish(self) -> None:
        """Writes what is left to write, and commits all of it."""
        for table, row in take_new(self.session):
            self.insert(table, **row)
        if self.session.dirty or self.session.deleted or self.session.new:
            self._insert_own()  # first, because the session's objects may refer to them
            self.session.flush()
        self.write_timers()
        deleted = self.outbox.delete_many_taken(self.session)
        waiting = self._waiting()
        if waiting:
            self._end_with(waiting)
        else:
            self.statements.end(self.session, *self._own_rows())
        self.outbox.forget(deleted)
        self.committed = waiting

    def write_timers(self) -> None:
        """Writes the timers that were set and cancelled so far, all at once. Needed before reading timers in this
        unit."""
        # Always in the same order, so that two units can't deadlock.
        changes, self._timers = sorted(self._timers.items()), {}
        if cancelled := [key for key, setting in changes if setting is None]:
            self.statements.cancel_timers(self.session, cancelled)
        if settings := [(*key, *setting) for key, setting in changes if setting]:
            self.statements.set_timers(self.session, settings)

    @property
    def emitted_events(self) -> list[Event]:
        """What will be published when this unit commits, in order."""
        return [emitted.event for emitted in self._emitted]

    def _insert_own(self) -> None:
        self.statements.insert(self.session, *self._own_rows())

    def _own_rows(self) -> list[Rows]:
        """The rows for the service's own tables, in the order of their foreign keys."""
        taken, self._rows = self._rows, {}
        return as_parts(self.session, self.statements, taken)

    def _waiting(self) -> list[Waiting]:
        """The outbox rows of the emitted events, without their sequence numbers."""
        at = self.clock.now()
        waiting = []
        for emitted in self._emitted:
            envelope, event = self._envelope(emitted), type(emitted.event)
            waiting.append(
                Waiting(envelope.id, event.exchange(), event.__name__, to_headers(envelope), emitted.body, at)
            )
        return waiting

    def _end_with(self, waiting: list[Waiting]) -> None:
        """Numbers events by their subjects, writes them to outbox and event log with the service's rows, and
        commits."""
        subjects = [event.subject for event in self.emitted_events]
        besides = [part for part in (*self._own_rows(), story_rows(self.emitted_events, waiting)) if part.rows]
        if self.statements.numbers_while_inserting:
            last = self.statements.end_numbered(self.session, subjects, SEQUENCE, outbox_rows(waiting), *besides)
            _number(waiting, subjects, last)
        else:
            _number(waiting, subjects, self.statements.advance(self.session, subjects))
            self.statements.end(self.session, outbox_rows(waiting), *besides)

    def _envelope(self, emitted: Emitted) -> Envelope:
        event, cause, id_ = emitted.event, emitted.cause, new_id()
        return Envelope(
            id=id_,
            source=source_of(self.service),
            type=type(event).__name__,
            time=self.now,
            subject=text_of(event.subject),
            dataschema=event.dataschema(),
            correlation_id=(cause.correlation_id if cause else None) or text_of(id_),
            causation_id=text_of(cause.id) if cause else None,
            traceparent=cause.traceparent if cause else None,
        )


def _number(waiting: Sequence[Waiting], subjects: Sequence[UUID], last: Mapping[str, int]) -> None:
    """Puts into each event's headers its number among the events about its subject; `last` has the counters' new
    values."""
    for row, subject, behind in zip(waiting, subjects, behind_of(subjects), strict=True):
        row.headers[SEQUENCE] = last[subject.hex] - behind


def count(session: Session, table: Table) -> int:
    """How many rows a table holds."""
    return session.execute(select(func.count()).select_from(table)).scalar_one()
