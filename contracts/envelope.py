"""The envelope: CloudEvents 1.0 in binary mode over AMQP 0-9-1 headers.

The body is the event's data alone, so that a stock consumer that knows nothing of CloudEvents can read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from contracts.fields import FIRST_INSTANT, LAST_INSTANT
from contracts.text import fits

PREFIX = "cloudEvents_"
ALSO_READ_PREFIX = "cloudEvents:"
SPECVERSION, ID, SOURCE, TYPE, TIME, SUBJECT, SEQUENCE, DATASCHEMA, TRACEPARENT = (
    PREFIX + name
    for name in ("specversion", "id", "source", "type", "time", "subject", "sequence", "dataschema", "traceparent")
)
CORRELATION, CAUSATION = "correlationid", "causationid"

MAX_SEQUENCE = 2**31 - 1
"""The largest value of a sequence number's database column."""

MAX_TEXT_CHARACTERS = 1_000

_USUAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII).fullmatch


MAX_SOURCE_CHARACTERS = 200


class UnreadableEnvelope(ValueError):
    """A message whose headers can't be read; the error's text names the header, never its value."""


class Envelope(NamedTuple):
    """What is known about one event besides its data.

    `sequence` counts the publisher's events about `subject` from 1; it is None in a message from outside that carries
    none. `correlation_id` is the id of the event that began the story, `causation_id` that of the one that led to this;
    both are UUIDs as text, since they are only handed on.
    """

    id: UUID
    source: str
    type: str
    time: datetime
    subject: str | None = None
    sequence: int | None = None
    dataschema: str | None = None
    traceparent: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None

    @property
    def publisher(self) -> str:
        return self.source.rsplit("/", 1)[-1]


def text_of(id_: UUID) -> str:
    """The same as `str(id_)`, in a third of the time."""
    return orjson.dumps(id_)[1:-1].decode()


def source_of(publisher: str) -> str:
    """The CloudEvents source of a publisher: `/leeward/intake`."""
    return f"/leeward/{publisher}"


def to_headers(envelope: Envelope) -> dict[str, Any]:
    """The AMQP headers of an envelope; what is not known is left out."""
    headers: dict[str, Any] = {
        SPECVERSION: "1.0",
        ID: text_of(envelope.id),
        SOURCE: envelope.source,
        TYPE: envelope.type,
        TIME: envelope.time.isoformat(),
    }
    for name, value in (
        (SUBJECT, envelope.subject),
        (SEQUENCE, envelope.sequence),
        (DATASCHEMA, envelope.dataschema),
        (TRACEPARENT, envelope.traceparent),
        (CORRELATION, envelope.correlation_id),
        (CAUSATION, envelope.causation_id),
    ):
        if value is not None:
            headers[name] = value
    return headers


def from_headers(
    headers: Mapping[Any, Any], *, exchange: str, routing_key: str, message_id: str | None, received_at: datetime
) -> Envelope:
    """Reads the envelope of a message that arrived from `exchange` under `routing_key`.

    A bare message (stock nameko's, say) is accepted if its `message_id` is a UUID, because without an id a second
    delivery couldn't be told from a second fact. What the headers say besides must agree with exchange and routing key,
    which are what the broker has checked. Raises UnreadableEnvelope, and nothing else, whatever the headers hold.
    """
    if ID not in headers:
        headers = _with_usual_prefix(headers)
    get = headers.get
    known_by = get(ID) or message_id
    if not known_by:
        raise UnreadableEnvelope("the message has neither a cloudEvents_id header nor a message_id")
    id_ = _uuid("id", known_by)
    correlation, causation = get(CORRELATION), get(CAUSATION)
    return Envelope(
        id=id_,
        source=_source(get(SOURCE), source_of(_text("exchange", exchange).removesuffix(".events"))),
        type=_agreed("type", get(TYPE), _text("routing key", routing_key)),
        time=_time(get(TIME), received_at),
        subject=_text_if_any("subject", get(SUBJECT)),
        sequence=_sequence(get(SEQUENCE)),
        dataschema=_text_if_any("dataschema", get(DATASCHEMA)),
        traceparent=_traceparent(get(TRACEPARENT)),
        correlation_id=_id("correlationid", correlation) if correlation is not None else str(id_),
        causation_id=_id("causationid", causation) if causation is not None else None,
    )


def _with_usual_prefix(headers: Mapping[Any, Any]) -> dict[str, Any]:
    return {name.replace(ALSO_READ_PREFIX, PREFIX): value for name, value in headers.items() if isinstance(name, str)}


def _uuid(name: str, value: Any) -> UUID:
    try:
        if isinstance(value, str):
            return UUID(value)
    except ValueError:
        pass
    raise UnreadableEnvelope(f"{name} is not a UUID")


def _id(name: str, value: Any) -> str:
    """A UUID as text. One in the usual notation is only matched against a pattern, which is faster."""
    return value if isinstance(value, str) and _USUAL_UUID(value) else str(_uuid(name, value))


def _source(value: Any, known: str) -> str:
    """A URI of the publisher's own choice, as CloudEvents have it, if it ends with the publisher's name."""
    if value is None or value == known:
        return known
    if isinstance(value, str) and len(value) <= MAX_SOURCE_CHARACTERS:
        publisher = known.rsplit("/", 1)[-1]
        if value.rsplit("/", 1)[-1] == publisher:
            return value
    raise UnreadableEnvelope("source contradicts the exchange; leave it out, or end it with the publisher's name")


def _agreed(name: str, value: Any, known: str) -> str:
    """The value that the broker gave; the header may repeat it, but not contradict it."""
    if value is not None and value != known:
        raise UnreadableEnvelope(
            f"{name} contradicts the exchange or the routing key; leave it out, or send it as it is"
        )
    return known


def _text(name: str, value: Any) -> str:
    if isinstance(value, str) and len(value) <= MAX_TEXT_CHARACTERS and (value.isprintable() or fits(value)):
        return value
    raise UnreadableEnvelope(f"{name} is not text of at most {MAX_TEXT_CHARACTERS} characters without controls")


def _text_if_any(name: str, value: Any) -> str | None:
    return None if value is None else _text(name, value)


def _traceparent(value: Any) -> str | None:
    """The trace context; an invalid one is dropped, so that a new trace begins, as W3C's Trace Context requires."""
    return value if isinstance(value, str) and _TRACEPARENT(value) else None


def _sequence(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS(value):  # CloudEvents has it as text
        value = int(value)
    if type(value) is not int or not 1 <= value <= MAX_SEQUENCE:
        raise UnreadableEnvelope(f"sequence is not a number from 1 to {MAX_SEQUENCE}")
    return value


def _time(value: Any, received_at: datetime) -> datetime:
    if value is None:
        return received_at
    moment = _moment(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if not FIRST_INSTANT <= moment <= LAST_INSTANT:
        raise UnreadableEnvelope(f"time is not in the years {FIRST_INSTANT.year} to {LAST_INSTANT.year}")
    return moment.astimezone(UTC)


def _moment(value: Any) -> datetime:
    """A time as text, or as AMQP's own kind of timestamp."""
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise UnreadableEnvelope("time is not RFC 3339")
