"""The history of a message that couldn't be handled: where it came from, how often it failed, and since when.

It travels in headers of our own, which any publisher could forge. So they are trusted only on messages from the
service's own return exchange, to which nobody but its own broker user may write, and removed from all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from chassis.bus.messages import Outgoing

PREFIX = "leeward_"
ORIGIN_EXCHANGE = "leeward_exchange"
ORIGIN_ROUTING_KEY = "leeward_routing_key"
ORIGIN_USER = "leeward_user"
ATTEMPTS = "leeward_attempts"
WAITS = "leeward_waits"
PUT_BACK = "leeward_put_back"
FIRST_FAILED_AT = "leeward_first_failed_at"
LANE = "leeward_lane"
REASON = "leeward_reason"
ERROR = "leeward_error"
DIGEST = "leeward_digest"


class History(NamedTuple):
    """Where a message was first published and by whom, and what has become of it since.

    `exchange` and `routing_key` are those of its first delivery; `user` is the broker user that published it, which the
    broker has checked, or None if the message didn't carry it. `attempts` counts failures, `waits` how often its
    handler raised NotYet, `put_back` how often it was put back into its lane after exceeding the delivery limit.
    """

    exchange: str
    routing_key: str
    user: str | None = None
    attempts: int = 0
    waits: int = 0
    put_back: int = 0
    first_failed_at: datetime | None = None

    @property
    def publisher(self) -> str:
        return self.exchange.removesuffix(".events")

    def to_headers(self) -> dict[str, Any]:
        """The headers to publish it again with; values that are empty or 0 are left out."""
        first_failed_at = self.first_failed_at.isoformat() if self.first_failed_at else None
        headers = {
            ORIGIN_EXCHANGE: self.exchange,
            ORIGIN_ROUTING_KEY: self.routing_key,
            ORIGIN_USER: self.user,
            ATTEMPTS: self.attempts,
            WAITS: self.waits,
            PUT_BACK: self.put_back,
            FIRST_FAILED_AT: first_failed_at,
        }
        return {name: value for name, value in headers.items() if value}


def history_of(headers: Mapping[Any, Any]) -> History:
    """Reads our own headers. A value that isn't as we write it is ignored."""
    return History(
        exchange=text(headers, ORIGIN_EXCHANGE) or "",
        routing_key=text(headers, ORIGIN_ROUTING_KEY) or "",
        user=text(headers, ORIGIN_USER),
        attempts=number(headers, ATTEMPTS),
        waits=number(headers, WAITS),
        put_back=number(headers, PUT_BACK),
        first_failed_at=moment(text(headers, FIRST_FAILED_AT)),
    )


ROUTED_TO = ("CC", "BCC")
"""Headers by which a sender has the broker route a message under further routing keys."""

_CARRIED_ON = (str, bytes, int, float, datetime, type(None))
"""The types of header values that are kept. Tables and lists can be nested so deep that publishing them again fails."""


def without_history(headers: Mapping[Any, Any]) -> dict[str, Any]:
    """The sender's own headers that are kept when a message is published again.

    `x-death` isn't: RabbitMQ 3.10 was seen to hold a message for ever that was published again with one, and 4.x
    ignores it.
    """
    return {
        name: value
        for name, value in headers.items()
        if isinstance(name, str)
        and not name.startswith((PREFIX, "x-"))
        and name not in ROUTED_TO
        and isinstance(value, _CARRIED_ON)
        and not (isinstance(value, int) and abs(value) >= 2**63)
    }


class Message(Protocol):
    """The parts of a message that are needed to publish it again."""

    @property
    def body(self) -> bytes: ...

    @property
    def headers(self) -> Mapping[Any, Any]: ...

    @property
    def content_type(self) -> Any: ...

    @property
    def message_id(self) -> Any: ...


def published_again(
    message: Message,
    history: History,
    *,
    exchange: str,
    routing_key: str,
    lane: str,
    why: Mapping[str, Any] = MappingProxyType({}),
) -> Outgoing:
    """The message to publish: under the original id, with the sender's headers, the history and the failure (`why`)."""
    return Outgoing(
        exchange=exchange,
        routing_key=routing_key,
        body=message.body,
        headers={**without_history(message.headers), **history.to_headers(), LANE: lane, **why},
        message_id=message.message_id if isinstance(message.message_id, str) else "",
        content_type=message.content_type if isinstance(message.content_type, str) else "application/json",
    )


def text(headers: Mapping[Any, Any], name: str) -> str | None:
    """A header's value if it is a non-empty string, else None."""
    value = headers.get(name)
    return value if isinstance(value, str) and value else None


def number(headers: Mapping[Any, Any], name: str) -> int:
    """A header's value if it is a positive integer, else 0."""
    value = headers.get(name)
    return int(value) if isinstance(value, int) and value > 0 else 0


def moment(written: str | None) -> datetime | None:
    """An aware time as `isoformat` writes it; None for anything else."""
    try:
        found = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return found if found.tzinfo else None
