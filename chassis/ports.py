"""The interface that handlers are written against: the unit of work, and the exceptions for the ways to fail.

Importing this module loads no broker client. A handler is written for one message, and knows nothing of batches,
confirms or retries::

    def open_account(unit: UnitOfWork[Dependencies], event: TherapistAdmitted) -> None:
        unit.session.add(Account(therapist_id=event.therapist_id, opened_at=unit.now))
        unit.emit(AccountOpened(...))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session

from chassis.access.actor import Actor
from chassis.audit.chain import AuditAction
from contracts.envelope import Envelope
from contracts.event import Event
from contracts.refused import Refused

__all__ = ["CommandHandler", "EventHandler", "Invalid", "NotYet", "Refused", "Timer", "TimerHandler", "UnitOfWork"]

DependenciesT_co = TypeVar("DependenciesT_co", covariant=True)


class UnitOfWork(Protocol[DependenciesT_co]):
    """One unit of work: rows, the inbox entry, emitted events and timers are committed together or not at all."""

    @property
    def dependencies(self) -> DependenciesT_co:
        """What the service created at its start: settings, keys, gateways."""

    @property
    def now(self) -> datetime:
        """The moment this unit began, in UTC, by the chassis's clock."""

    @property
    def session(self) -> Session:
        """The service's own database, inside this unit's transaction. Never commit it."""

    @property
    def envelope(self) -> Envelope | None:
        """The envelope of the message being handled; None in a timer or a command."""

    @property
    def actor(self) -> Actor:
        """Who gives the command that is carried out. Raises LookupError in a timer or an event's handler."""

    @property
    def sequence(self) -> int:
        """The message's number among its publisher's events about its subject, from 1; 0 if it carries none."""

    def new_id(self) -> UUID:
        """A new UUIDv7."""

    def insert(self, table: Table, **values: Any) -> None:
        """Adds a row without the ORM. It is written with the unit's other rows of its table, when the unit ends."""

    def emit(self, event: Event) -> None:
        """Publishes an event once this unit has committed, and only then."""

    def set_timer(self, timer: str, key: UUID | str, at: datetime, data: Mapping[str, Any] | None = None) -> None:
        """Calls the service's handler for `timer` at `at`, once. Setting the same timer and key again moves it."""

    def set_timer_after(
        self, timer: str, key: UUID | str, after: timedelta, data: Mapping[str, Any] | None = None
    ) -> None:
        """The same, after a duration; at once if it turns out that the clock was ahead when the timer was set."""

    def cancel_timer(self, timer: str, key: UUID | str) -> None:
        """Removes a timer, if it is set."""

    def record_audit(
        self, what: AuditAction, *, who: str, subject_id: UUID | None = None, reason: str | None = None
    ) -> None:
        """Adds to the audit log that a person, or `rule`, did this, if the unit commits. `reason` is a code."""


class Timer(Protocol):
    """A timer that has come due."""

    @property
    def key(self) -> str: ...

    @property
    def due_at(self) -> datetime: ...

    @property
    def data(self) -> Mapping[str, Any]: ...

    @property
    def attempts(self) -> int:
        """How often it has been tried before."""


class Invalid(Exception):
    """Retrying can't help: the message goes to the dead letters at once, with this reason."""


class NotYet(Exception):
    """An earlier event that this message needs has not arrived: it is retried later, and no failure is counted."""


EventHandler = Callable[[UnitOfWork[Any], Any], None]
TimerHandler = Callable[[UnitOfWork[Any], Timer], None]
CommandHandler = Callable[[UnitOfWork[Any], Any], Any]
