"""Doubles for a service's own tests: its handlers, run on a real store without a broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import MetaData, delete, select

from chassis.access.actor import Actor, Person, SignIn
from chassis.clock import ManualClock
from chassis.ids import new_id
from chassis.ports import CommandHandler, EventHandler, TimerHandler
from chassis.store.database import Database
from chassis.store.engine import open_engine
from chassis.store.schedule import bring_forward
from contracts.envelope import Envelope, source_of
from contracts.event import Event
from contracts.permissions import CEILINGS, FrontEnd
from contracts.shape import Shape

E = TypeVar("E", bound=Event)


def somebody(
    name: str = "somebody", *, front_end: FrontEnd = FrontEnd.CONSOLE, therapist_id: UUID | None = None
) -> Actor:
    """A person who has just signed in with a second factor, and may do all that is possible at that front-end."""
    person = Person(
        name=name,
        permissions=CEILINGS[front_end],
        signed_in=SignIn(at=datetime.now(UTC), factor="totp"),
        therapist_id=therapist_id,
    )
    return Actor(front_end=front_end, person=person)


@dataclass(frozen=True)
class DueTimer:
    key: str
    due_at: datetime
    data: Mapping[str, Any]
    attempts: int = 0


class HandlerBench:
    """Runs handlers one at a time, each in a unit of its own, and keeps what they emit, oldest first::

    bench = HandlerBench("billing", store.metadata, dependencies=settings)
    bench.hear(handlers.note_referral, ReferralReceived(...))
    assert bench.emitted(SubsidyApproved) == [...]
    """

    def __init__(self, service: str, metadata: MetaData, *, dependencies: Any, url: str = "sqlite://") -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, 10, 0, tzinfo=UTC))  # a Monday
        self._service, self._metadata, self._engine = service, metadata, open_engine(url)
        metadata.create_all(self._engine)
        self.start(dependencies)
        self._emitted: list[Event] = []
        self._sequences: dict[tuple[str, UUID], int] = {}

    def start(self, dependencies: Any) -> None:
        """Starts the service, once more too, with what it then finds as `unit.dependencies`."""
        self.database = Database(
            service=self._service,
            engine=self._engine,
            metadata=self._metadata,
            clock=self.clock,
            dependencies=dependencies,
        )

    def hear(
        self, handler: EventHandler, event: Event, *, sequence: int | None = None, said_at: datetime | None = None
    ) -> None:
        """Delivers an event; its sequence number counts on from the last about its subject unless it is given.

        `said_at` is when it was published, if that was not just now.
        """
        subject = (event.publisher, event.subject)
        self._sequences[subject] = self._sequences.get(subject, 0) + 1 if sequence is None else sequence
        envelope = Envelope(
            id=new_id(),
            source=source_of(event.publisher),
            type=type(event).__name__,
            time=said_at or self.clock.now(),
            subject=str(event.subject),
            sequence=self._sequences[subject],
        )
        with self.database.unit() as unit:
            unit.envelope = envelope
            handler(unit, event)
            self._emitted += unit.emitted_events

    def ask(self, handler: CommandHandler, request: Shape, *, by: Actor | None = None) -> Any:
        """Gives a command, as somebody of the charity unless somebody else is named, and returns its answer."""
        with self.database.unit() as unit:
            unit.given_by = by or somebody()
            answer = handler(unit, request)
            self._emitted += unit.emitted_events
        return answer

    def fire_due(self, timers: Mapping[str, TimerHandler]) -> int:
        """Fires every timer that is due by the clock, oldest first, and says how many there were."""
        table = self.database.tables.timer
        with self.database.unit() as unit:
            bring_forward(unit)
            due = unit.session.execute(select(table).where(table.c.due_at <= unit.now).order_by(table.c.due_at)).all()
        for row in due:
            with self.database.unit() as unit:
                unit.session.execute(delete(table).where(table.c.name == row.name, table.c.key == row.key))
                timers[row.name](unit, DueTimer(row.key, row.due_at, row.data, row.attempts))
                self._emitted += unit.emitted_events
        return len(due)

    def emitted(self, kind: type[E]) -> list[E]:
        """The events of one kind that were emitted so far, oldest first."""
        return [event for event in self._emitted if isinstance(event, kind)]

    @property
    def all_emitted(self) -> list[Event]:
        return list(self._emitted)
