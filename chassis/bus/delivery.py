"""A message as it arrived, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from chassis.bus.wire import Incoming
from chassis.ports import EventHandler, Invalid
from contracts.envelope import Envelope, UnreadableEnvelope, from_headers
from contracts.event import Event
from contracts.shape import InvalidShape

MAX_BODY_BYTES = 1_048_576
SUSPECT_AFTER_RETURNS = 2
ORIGIN_EXCHANGE = "leeward_exchange"
ORIGIN_ROUTING_KEY = "leeward_routing_key"


@dataclass(frozen=True)
class Subscription:
    """An event and the function that handles it; `safe_by_business_key` is for `leeward dead replay`."""

    event: type[Event]
    handler: EventHandler
    safe_by_business_key: str = ""


class Unreadable(Invalid):
    """A message that can't become an event; its text says why, without repeating what is in it."""


class Delivery(NamedTuple):
    """One delivered message. Where it was first published is kept in headers of our own over every retry."""

    body: bytes
    headers: Mapping[str, Any]
    content_type: str | None
    message_id: str | None
    exchange: str
    routing_key: str
    delivery_tag: int
    received_at: datetime

    @classmethod
    def of(cls, message: Incoming, received_at: datetime) -> Delivery:
        headers = message.headers
        return cls(
            body=message.body,
            headers=headers,
            content_type=message.content_type,
            message_id=message.message_id,
            exchange=headers.get(ORIGIN_EXCHANGE, message.exchange),
            routing_key=headers.get(ORIGIN_ROUTING_KEY, message.routing_key),
            delivery_tag=message.delivery_tag,
            received_at=received_at,
        )

    @property
    def published_at(self) -> datetime:
        """When it was published, or when it arrived if it doesn't say."""
        try:
            return _envelope(self).time
        except Unreadable:
            return self.received_at

    @property
    def is_suspect(self) -> bool:
        """Whether it has gone down with its consumer so often that it may be what brings it down: it is taken alone."""
        return int(self.headers.get("x-delivery-count") or 0) >= SUSPECT_AFTER_RETURNS


class Understood(NamedTuple):
    """A delivery that makes sense, and who handles it."""

    delivery: Delivery
    envelope: Envelope
    event: Event
    handler: EventHandler


class NotUnderstood(NamedTuple):
    """A delivery that doesn't, and why."""

    delivery: Delivery
    error: Unreadable


Arrived = Understood | NotUnderstood
Subscriptions = Mapping[tuple[str, str], Subscription]
"""By publisher and event name."""


def read(delivery: Delivery, subscriptions: Subscriptions) -> Arrived:
    """Decodes and checks a delivery."""
    try:
        return _understand(delivery, subscriptions)
    except Unreadable as error:
        return NotUnderstood(delivery, error)


def _understand(delivery: Delivery, subscriptions: Subscriptions) -> Understood:
    envelope = _envelope(delivery)
    publisher = delivery.exchange.removesuffix(".events")
    subscription = subscriptions.get((publisher, envelope.type))
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
            exchange=delivery.exchange,
            routing_key=delivery.routing_key,
            message_id=delivery.message_id,
            received_at=delivery.received_at,
        )
    except UnreadableEnvelope as error:
        raise Unreadable(str(error)) from None


def _data(delivery: Delivery) -> Any:
    if len(delivery.body) > MAX_BODY_BYTES:
        raise Unreadable(f"the body is larger than {MAX_BODY_BYTES} bytes")
    if delivery.content_type not in (None, "application/json"):
        raise Unreadable("the content type is not application/json")
    try:
        return orjson.loads(delivery.body)
    except ValueError:
        raise Unreadable("the body is not JSON") from None
