"""A delivered message, and the event that is read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from chassis.bus.failure_history import History, history_of, number
from chassis.bus.messages import Incoming
from chassis.bus.topology import RETURN
from chassis.ports import EventHandler, Invalid
from contracts.envelope import Envelope, UnreadableEnvelope, from_headers
from contracts.event import Event
from contracts.shape import InvalidShape

SUSPECT_AFTER_RETURNS = 2


@dataclass(frozen=True)
class Subscription:
    """An event and the function that handles it; `idempotent_by` is for `leeward dead replay`."""

    event: type[Event]
    handler: EventHandler
    idempotent_by: str = ""


class Unreadable(Invalid):
    """A message from which no event can be read; the text says why, without repeating the message's content."""


class Delivery(NamedTuple):
    """One delivered message. Of its content, only where it comes from has been read."""

    body: bytes
    headers: Mapping[Any, Any]
    content_type: Any
    message_id: Any
    history: History
    delivery_tag: int
    received_at: datetime
    defect: str | None = None

    @classmethod
    def of(cls, message: Incoming, received_at: datetime, *, service: str) -> Delivery:
        if message.exchange == f"{service}.{RETURN}":
            history = history_of(message.headers)
        else:
            history = History(message.exchange, message.routing_key, message.user_id)
        return cls(
            body=message.body,
            headers=message.headers,
            content_type=message.content_type,
            message_id=message.message_id,
            history=history,
            delivery_tag=message.delivery_tag,
            received_at=received_at,
            defect=message.defect,
        )

    @property
    def is_suspect(self) -> bool:
        """Whether its consumer has died so often while it had it that it may be the cause: it is then handled alone."""
        return number(self.headers, "x-delivery-count") >= SUSPECT_AFTER_RETURNS

    @property
    def fingerprint(self) -> UUID:
        """Identifies the message without reading it: the same when the same message is delivered again."""
        origin = repr((self.history.exchange, self.history.routing_key, self.message_id)).encode()
        return UUID(bytes=sha256(origin + self.body).digest()[:16])


class Understood(NamedTuple):
    """A delivery with the event that was read from it, and its handler."""

    delivery: Delivery
    envelope: Envelope
    event: Event
    handler: EventHandler

    @property
    def published_at(self) -> datetime:
        return self.envelope.time


class NotUnderstood(NamedTuple):
    """A delivery from which no event could be read, and why."""

    delivery: Delivery
    error: Unreadable

    @property
    def published_at(self) -> datetime:
        """When it arrived, because the time of publication isn't known."""
        return self.delivery.received_at


class Suspect(NamedTuple):
    """A delivery that may kill the process: the attempt is committed to the database before the message is read."""

    delivery: Delivery

    @property
    def published_at(self) -> datetime:
        return self.delivery.received_at


Arrived = Understood | NotUnderstood | Suspect
Read = Callable[[Delivery], Understood | NotUnderstood]
Subscriptions = Mapping[tuple[str, str], Subscription]
"""By publisher and event name."""


def read(delivery: Delivery, subscriptions: Subscriptions, *, one_user_each: bool) -> Understood | NotUnderstood:
    """Decodes and checks a delivery. Never raises, whatever was sent: it returns a NotUnderstood with the reason.

    `one_user_each` says that each publisher has the broker user of its name, so that a message from another user is
    recognised even if that user may write to every exchange.
    """
    try:
        return _understand(delivery, subscriptions, one_user_each)
    except Unreadable as error:
        return NotUnderstood(delivery, error)
    except Exception as error:
        return NotUnderstood(delivery, Unreadable(f"reading it failed ({type(error).__name__})"))


def _understand(delivery: Delivery, subscriptions: Subscriptions, one_user_each: bool) -> Understood:
    origin = delivery.history
    if one_user_each and origin.user not in (None, origin.publisher):
        raise Unreadable("another user than its publisher's put it there")
    envelope = _envelope(delivery)
    subscription = subscriptions.get((origin.publisher, origin.routing_key))
    if subscription is None:
        raise Unreadable("this lane doesn't handle such an event")
    try:
        event = subscription.event.from_json(_data(delivery))
    except InvalidShape as error:
        raise Unreadable(str(error)) from None
    return Understood(delivery, envelope, event, subscription.handler)


def _envelope(delivery: Delivery) -> Envelope:
    try:
        return from_headers(
            delivery.headers,
            exchange=delivery.history.exchange,
            routing_key=delivery.history.routing_key,
            message_id=delivery.message_id,
            received_at=delivery.received_at,
        )
    except UnreadableEnvelope as error:
        raise Unreadable(str(error)) from None


def _data(delivery: Delivery) -> Any:
    if delivery.content_type not in (None, "application/json"):
        raise Unreadable("the content type is not application/json")
    try:
        return orjson.loads(delivery.body)
    except ValueError:
        raise Unreadable("the body is not JSON") from None
