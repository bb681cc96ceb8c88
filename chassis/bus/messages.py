"""A message as it is published to the broker and as it is delivered, before its content is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

MAX_MESSAGE_BYTES = 1_048_576
"""The default limit of a body's size; a message with a larger one is refused unread."""


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

    `exchange` and `routing_key` are those that it was last published with, which the broker has checked against the
    publishing user's permissions; it has checked `user_id` too, where that is set. Everything else is the sender's own
    choice, of any type that AMQP knows. `defect` says why it couldn't be read whole; then its body, and headers that
    can't be read, were dropped, and `digest` identifies it.
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
    redelivered: bool = False
    """Whether the broker, and nobody else, says that it has delivered this message before."""
