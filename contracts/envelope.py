"""The envelope: CloudEvents 1.0 in binary mode over AMQP 0-9-1 headers.

The body is the event's data alone, so that a stock consumer that knows nothing of CloudEvents can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

PREFIX = "cloudEvents_"
ALSO_READ_PREFIX = "cloudEvents:"


class UnreadableEnvelope(ValueError):
    """A message whose headers don't say what it is; the message names the header, never its value."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What is known about one event besides its data.

    `sequence` counts the publisher's events about `subject` from 1; it is None in a message from outside that carries
    none. `correlation_id` is the id of the event that began the story, `causation_id` that of the one that led to this.
    """

    id: UUID
    source: str
    type: str
    time: datetime
    subject: str | None = None
    sequence: int | None = None
    dataschema: str | None = None
    traceparent: str | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None

    @property
    def publisher(self) -> str:
        return self.source.rsplit("/", 1)[-1]


def source_of(publisher: str) -> str:
    """The CloudEvents source of a publisher: `/leeward/intake`."""
    return f"/leeward/{publisher}"


def to_headers(envelope: Envelope) -> dict[str, Any]:
    """The AMQP headers of an envelope; what is not known is left out."""
    attributes = {
        f"{PREFIX}specversion": "1.0",
        f"{PREFIX}id": str(envelope.id),
        f"{PREFIX}source": envelope.source,
        f"{PREFIX}type": envelope.type,
        f"{PREFIX}time": envelope.time.isoformat(),
        f"{PREFIX}subject": envelope.subject,
        f"{PREFIX}sequence": envelope.sequence,
        f"{PREFIX}dataschema": envelope.dataschema,
        f"{PREFIX}traceparent": envelope.traceparent,
        "correlationid": str(envelope.correlation_id) if envelope.correlation_id else None,
        "causationid": str(envelope.causation_id) if envelope.causation_id else None,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def from_headers(
    headers: Mapping[str, Any], *, exchange: str, routing_key: str, message_id: str | None, received_at: datetime
) -> Envelope:
    """Reads the envelope of a message that arrived from `exchange` under `routing_key`.

    A bare message (stock nameko's, say) is accepted if its `message_id` is a UUID, because without an id a second
    delivery couldn't be told from a second fact. Raises UnreadableEnvelope.
    """
    id_ = _uuid("id", _attribute(headers, "id") or message_id)
    if id_ is None:
        raise UnreadableEnvelope("the message has neither a cloudEvents_id header nor a message_id")
    return Envelope(
        id=id_,
        source=str(_attribute(headers, "source") or source_of(exchange.removesuffix(".events"))),
        type=str(_attribute(headers, "type") or routing_key),
        time=_time(_attribute(headers, "time"), received_at),
        subject=_text(_attribute(headers, "subject")),
        sequence=_sequence(_attribute(headers, "sequence")),
        dataschema=_text(_attribute(headers, "dataschema")),
        traceparent=_text(_attribute(headers, "traceparent")),
        correlation_id=_uuid("correlationid", headers.get("correlationid")) or id_,
        causation_id=_uuid("causationid", headers.get("causationid")),
    )


def _attribute(headers: Mapping[str, Any], name: str) -> Any:
    return headers.get(PREFIX + name, headers.get(ALSO_READ_PREFIX + name))


def _uuid(name: str, value: Any) -> UUID | None:
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError:
        raise UnreadableEnvelope(f"{name} is not a UUID") from None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _sequence(value: Any) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError:
        raise UnreadableEnvelope("sequence is not a number") from None


def _time(value: Any, received_at: datetime) -> datetime:
    if value is None:
        return received_at
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise UnreadableEnvelope("time is not RFC 3339") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
