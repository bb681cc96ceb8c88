"""Values that nobody should send, and wouldn't be kept from sending."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random
from typing import Any

import pika.data

ODD_TEXTS = (
    "",
    " ",
    "x",
    "x" * 3_000,
    "a\x00b",
    "\ud83d",
    "\u202egnirts",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1899-12-31T23:59:59+00:00",
    "yesterday",
    "00000000-0000-0000-0000-000000000000",
    "'; DROP TABLE inbox; --",
    "../../etc/passwd",
    "{{7*7}}",
    "e.y.J.w.e",
    "intake.assess",
)
ODD_NUMBERS = (0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64, 0.5, 1e308, -1e-320)
ODD_VALUES: tuple[Any, ...] = (
    *ODD_TEXTS,
    *ODD_NUMBERS,
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None] * 2_000,
    {"a": {"b": 1}},
)


@dataclass(frozen=True)
class Encoded:
    """A header's value as AMQP bytes, for what pika would not write."""

    content: bytes


ODD_HEADERS: tuple[Any, ...] = (
    "x",
    "",
    5,
    -1,
    2**62,
    True,
    None,
    b"\xff\xfe",
    [1],
    [],
    {"a": 1},
    [[{"a": [1]}]],
    "x" * 5_000,
    "a\x00b",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "matching.events",
    "intake.events",
    Encoded(b"T" + struct.pack(">Q", 2**63)),
    Encoded(b"D" + struct.pack(">Bi", 255, 2**31 - 1)),
    Encoded(b"S" + struct.pack(">I", 3) + b"\xff\xfe\xfd"),
)
"""What the broker passes on. It closes the connection of whoever sends it a number that is none, a value of no known
kind, or a list that is longer than its frame; `tests/chassis/test_deliveries.py` has those."""

KEPT_BY_THE_BROKER = tuple(odd for odd in ODD_HEADERS if not (isinstance(odd, list) and odd))
"""Of `x-death`, which RabbitMQ writes itself: a list of anything but tables ends the broker's own dead letter worker
where a quorum queue dead-letters the message (3.10.8), and the second within seconds ends every queue's. See
docs/plan.md."""

HEADERS = (
    "cloudEvents_id",
    "cloudEvents_type",
    "cloudEvents_source",
    "cloudEvents_time",
    "cloudEvents_subject",
    "cloudEvents_sequence",
    "cloudEvents_specversion",
    "cloudEvents_dataschema",
    "cloudEvents_traceparent",
    "cloudEvents:id",
    "correlationid",
    "causationid",
    "leeward_exchange",
    "leeward_routing_key",
    "leeward_user",
    "leeward_attempts",
    "leeward_waits",
    "leeward_put_back",
    "leeward_first_failed_at",
    "leeward_lane",
    "leeward_reason",
    "x-delivery-count",
    "x-death",
    "CC",
    "BCC",
    "nameko.call_id_stack",
    "nameko.language",
    "\N{SNOWMAN}",
    b"\xff\xfe",
)


def nested(depth: int) -> Encoded:
    """A list in a list in a list …"""
    content = b"V"
    for _ in range(depth):
        content = b"A" + struct.pack(">I", len(content)) + content
    return Encoded(content)


def teach_pika() -> None:
    """Has pika write `Encoded` values as they are, and lone surrogates as JavaScript might."""
    original = pika.data.encode_value

    def encode_value(pieces: list[bytes], value: Any) -> int:
        if isinstance(value, str):
            raw = value.encode("utf-8", "surrogatepass")
            value = Encoded(b"S" + struct.pack(">I", len(raw)) + raw)
        if isinstance(value, Encoded):
            pieces.append(value.content)
            return len(value.content)
        return original(pieces, value)

    pika.data.encode_value = encode_value


def mutated(value: Any, random: Random) -> Any:
    """The JSON value with something wrong in one place of it."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        changed = dict(value)
        what = random.random()
        if what < 0.1:
            del changed[name]
        elif what < 0.15:
            changed[random.choice(ODD_TEXTS)] = changed[name]
        else:
            changed[name] = mutated(value[name], random)
        return changed
    if isinstance(value, list) and value and random.random() < 0.8:
        place = random.randrange(len(value))
        if random.random() < 0.2:
            return value * random.choice((2, 50, 2_000))
        return [*value[:place], mutated(value[place], random), *value[place + 1 :]]
    if isinstance(value, str) and value and random.random() < 0.4:
        place = random.randrange(len(value))
        return value[:place] + random.choice(ODD_TEXTS) + value[place + random.randrange(2) :]
    return random.choice(ODD_VALUES)
