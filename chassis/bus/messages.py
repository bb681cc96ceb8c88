"""A message as it goes to the broker and as it comes from there, before anybody has looked at what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

MAX_MESSAGE_BYTES = 1_048_576
"""The largest body that is taken in, where nothing else is set."""


class Outgoing(NamedTuple):
    """One message to be published, persistently; `timestamp` is in seconds since 1970.

    `message_id` is empty where there is none. `correlation_id` is that of a command, in the answer to it.
    """

    exchange: str
    routing_key: str
    body: str | bytes
    headers: Mapping[str, Any]
    message_id: str
    content_type: str = "application/json"
    timestamp: int | None = None
    correlation_id: str | None = None


class Incoming(NamedTuple):
    """One message as the broker delivered it.

    `exchange` and `routing_key` are those that it was last published with, which the broker has checked against its
    user's permissions; so is `user_id`, where it is set. Everything else is as the sender would have it, of any type
    that AMQP knows. `defect` says why it couldn't be taken whole; then its body, and headers that can't be read, were
    dropped, and `digest` is what it is known by.
    """

    exchange: str
    routing_key: str
    delivery_tag: int
    body: bytes
    headers: Mapping[Any, Any]
    content_type: Any = None
    message_id: Any = None
    user_id: Any = None
    reply_to: Any = None
    correlation_id: Any = None
    defect: str | None = None
    digest: str = ""
