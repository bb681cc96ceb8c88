"""An event: a fact in the past tense, published by one service, about one subject."""

from __future__ import annotations

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
