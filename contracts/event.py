"""An event: a fact in the past tense, published by one service, about one subject."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from contracts.shape import Shape


class Event(Shape):
    """The base of every event::

        class FundOpened(Event, publisher="billing", subject="fund_id"): ...

    `publisher` names the exchange (`billing.events`), the class's name is the routing key, and `subject` the field
    whose identifier orders the publisher's events about it.
    """

    publisher: ClassVar[str]
    subject_field: ClassVar[str]
    version: ClassVar[int]

    def __init_subclass__(cls, *, publisher: str, subject: str, version: int = 1, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if subject not in cls.schema.fields:
            raise TypeError(f"{cls.__name__} has no field {subject!r} to be its subject")
        cls.publisher, cls.subject_field, cls.version = publisher, subject, version
        _registered[publisher, cls.__name__] = cls

    @property
    def subject(self) -> UUID:
        """The identifier of what the event is about."""
        value: UUID = getattr(self, self.subject_field)
        return value

    @classmethod
    def exchange(cls) -> str:
        return f"{cls.publisher}.events"

    @classmethod
    def dataschema(cls) -> str:
        """The URN that names this version of the event's schema."""
        return f"urn:leeward:{cls.publisher}:{cls.__name__}:{cls.version}"


_registered: dict[tuple[str, str], type[Event]] = {}


class UnknownEvent(LookupError):
    """No event of this name is published there."""


def find_event(publisher: str, name: str) -> type[Event]:
    """The event class of a publisher's fact. Raises UnknownEvent."""
    try:
        return _registered[publisher, name]
    except KeyError:
        raise UnknownEvent(f"{publisher}.events publishes no {name}") from None


def all_events() -> Iterator[type[Event]]:
    """Every event whose module has been imported, by publisher and name; see `contracts.catalogue`."""
    for key in sorted(_registered):
        yield _registered[key]
