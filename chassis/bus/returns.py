"""Putting back what the broker parked only because it had been handed out too often.

A few bad restarts with a prefetched backlog use a healthy message's delivery limit up, so it goes back into its lane by
itself, once. The broker can't do that alone: it holds a message for ever that would return to the queue it was
dead-lettered from (seen on 3.10.8). So it is published anew, without what the broker wrote into its headers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import amqp

from chassis.bus.delivery import ORIGIN_EXCHANGE, ORIGIN_ROUTING_KEY
from chassis.bus.retries import DIGEST, ERROR, FIRST_FAILED_AT, LANE, REASON
from chassis.bus.topology import DEAD, LIMIT

LIMITS = "leeward_limits"
PUT_BACK_DELAY = "30s"
TWICE = {
    REASON: "handed out too often, twice; it may be what brings the service down",
    ERROR: "DeliveryLimit",
    DIGEST: "deliverylimit",
}


def put_back(channel: Any, service: str, now: datetime) -> int:
    """Empties `<service>.limit` and returns how many messages there were. `channel` must be one with confirms.

    A message leaves the queue only when its new copy is confirmed; the inbox drops what that makes twice.
    """
    count = 0
    for message in taken(channel, f"{service}.{LIMIT}"):
        lane = message.delivery_info["routing_key"].removesuffix(f".{LIMIT}")
        headers, key = _headers(message.headers or {}, lane, now), f"{lane}.{PUT_BACK_DELAY}"
        if headers[LIMITS] > 1:
            headers, key = headers | TWICE, DEAD
        republish(channel, message, headers, exchange=f"{service}.retry", routing_key=key)
        channel.basic_ack(message.delivery_tag)
        count += 1
    return count


def taken(channel: Any, queue: str) -> Iterator[amqp.Message]:
    """Takes what lies in a queue now, one by one. What isn't acknowledged goes back when the channel closes."""
    for _ in range(channel.queue_declare(queue, passive=True).message_count):
        message = channel.basic_get(queue)
        if message is None:
            return
        yield message


def republish(channel: Any, message: amqp.Message, headers: dict[str, Any], *, exchange: str, routing_key: str) -> None:
    """Publishes a message anew under its old id. Raises one of `LOST` unless the broker has put it into a queue."""
    kept = {name: message.properties.get(name) for name in ("message_id", "content_type", "content_encoding")}
    properties = {name: value for name, value in kept.items() if value is not None}
    anew = amqp.Message(message.body, delivery_mode=2, application_headers=headers, **properties)
    channel.basic_publish(anew, exchange=exchange, routing_key=routing_key, mandatory=True)


def _headers(found: Mapping[str, Any], lane: str, now: datetime) -> dict[str, Any]:
    """Its own headers, and where it was first published, which the broker tells only of a message's first death."""
    own = {name: value for name, value in found.items() if not name.startswith("x-")}
    death: Mapping[str, Any] = next(iter(found.get("x-death", ())), {})
    own.setdefault(ORIGIN_EXCHANGE, death.get("exchange", ""))
    own.setdefault(ORIGIN_ROUTING_KEY, next(iter(death.get("routing-keys", ())), ""))
    own.setdefault(FIRST_FAILED_AT, now.isoformat())
    return own | {LANE: lane, LIMITS: int(own.get(LIMITS, 0)) + 1}
