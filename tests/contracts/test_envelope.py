"""An envelope is read, or is unreadable: whatever stands in a message's headers, nothing else comes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import (
    ALSO_READ_PREFIX,
    CAUSATION,
    CORRELATION,
    DATASCHEMA,
    ID,
    MAX_SEQUENCE,
    PREFIX,
    SEQUENCE,
    SOURCE,
    SUBJECT,
    TIME,
    TRACEPARENT,
    TYPE,
    Envelope,
    UnreadableEnvelope,
    from_headers,
    to_headers,
)
from contracts.fields import FIRST_INSTANT, LAST_INSTANT
from contracts.text import fits

RECEIVED = datetime(2026, 11, 23, 10, tzinfo=UTC)
KNOWN = (ID, SOURCE, TYPE, TIME, SUBJECT, SEQUENCE, DATASCHEMA, TRACEPARENT, CORRELATION, CAUSATION)
LARGE = "x" * 2_000_000

amqp_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.binary(max_size=8)
    | st.text(st.characters(), max_size=12)  # surrogates too
    | st.datetimes()
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}+14:00")
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}-14:00")
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9" * 5_000, "-1", str(2**63), 2**63, -(2**63), LARGE, "a\x00"])
    | st.sampled_from(["/leeward/intake", "/leeward/billing", "ReferralReceived", str(uuid4()), RECEIVED.isoformat()]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
names = st.sampled_from([*KNOWN, *(name.replace(PREFIX, ALSO_READ_PREFIX) for name in KNOWN)])
odd_names = st.text(max_size=4) | st.binary(max_size=4) | st.integers() | st.none()


def read(headers: dict[Any, Any], *, message_id: Any = None, exchange: Any = "intake.events",
         routing_key: Any = "ReferralReceived") -> Envelope:  # fmt: skip
    """A message with an id, unless the headers say another."""
    return from_headers(
        headers, exchange=exchange, routing_key=routing_key, message_id=message_id or str(uuid4()), received_at=RECEIVED
    )


@settings(max_examples=500)
@given(
    headers=st.dictionaries(names, amqp_values, max_size=6),
    odd=st.dictionaries(odd_names, amqp_values, max_size=2),
    message_id=amqp_values,
)
def test_whatever_the_headers_hold_is_read_or_unreadable(headers: Any, odd: Any, message_id: Any) -> None:
    try:
        envelope = from_headers(
            odd | headers,
            exchange="intake.events",
            routing_key="ReferralReceived",
            message_id=message_id,
            received_at=RECEIVED,
        )
    except UnreadableEnvelope as refusal:
        told = str(refusal)
    else:
        told = " ".join(map(str, to_headers(envelope).values()))
        assert (envelope.publisher, envelope.type) == ("intake", "ReferralReceived")
        assert FIRST_INSTANT <= envelope.time <= LAST_INSTANT
        assert envelope.sequence is None or 1 <= envelope.sequence <= MAX_SEQUENCE
    assert fits(told)
    assert len(told) < 5_000


@given(exchange=amqp_values, routing_key=amqp_values)
def test_whatever_it_came_under_is_read_or_unreadable(exchange: Any, routing_key: Any) -> None:
    try:
        envelope = read({}, exchange=exchange, routing_key=routing_key)
    except UnreadableEnvelope:
        return
    assert (envelope.type, type(envelope.publisher)) == (routing_key, str)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (ID, ["x"]),
        (SEQUENCE, [1]),
        (SEQUENCE, True),
        (SEQUENCE, 1.0),
        (SEQUENCE, float("inf")),
        (SEQUENCE, 0),
        (SEQUENCE, -1),
        (SEQUENCE, 2**31),
        (SEQUENCE, "9" * 5_000),
        (TIME, "0001-01-01T00:00:00+14:00"),
        (TIME, "9999-12-31T23:59:59-14:00"),
        (TIME, datetime(1, 1, 1)),
        (TIME, b"2026-11-23"),
        (SUBJECT, LARGE),
        (SUBJECT, {"a": 1}),
        (DATASCHEMA, "urn:a\x00"),
        (DATASCHEMA, "urn:\ud83d"),
        (CORRELATION, 7),
        (CAUSATION, "\ud83d"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_header_that_makes_no_sense_is_named_and_never_repeated(name: str, value: Any) -> None:
    with pytest.raises(UnreadableEnvelope, match=name.removeprefix(PREFIX)) as caught:
        read({ID: str(uuid4()), name: value})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", ["x", LARGE, "00-\x00", 7, ["00"], "00-" + "0" * 32])
def test_no_fact_is_lost_for_a_trace_that_cannot_be_followed(value: Any) -> None:
    assert read({ID: str(uuid4()), TRACEPARENT: value}).traceparent is None


@pytest.mark.parametrize("type_", ["SafeguardingConcernRaised", "", 7, ["ReferralReceived"]])
def test_a_type_that_contradicts_the_routing_key_is_unreadable(type_: Any) -> None:
    with pytest.raises(UnreadableEnvelope, match="type contradicts"):
        read({ID: str(uuid4()), TYPE: type_})


@pytest.mark.parametrize("source", ["/leeward/intake", "/elsewhere/intake", "intake"])
def test_a_source_is_the_publishers_own_choice_if_it_ends_with_its_name(source: str) -> None:
    assert read({ID: str(uuid4()), SOURCE: source}).source == source


@pytest.mark.parametrize("source", ["/leeward/billing", "/intake/billing", "", 7])
def test_a_source_that_contradicts_the_exchange_is_unreadable(source: Any) -> None:
    with pytest.raises(UnreadableEnvelope, match="source contradicts"):
        read({ID: str(uuid4()), SOURCE: source})


@pytest.mark.parametrize("prefix", [PREFIX, ALSO_READ_PREFIX])
def test_sequence_and_time_may_be_as_other_clients_write_them(prefix: str) -> None:
    naive = RECEIVED.replace(tzinfo=None)
    envelope = read({f"{prefix}id": str(uuid4()), f"{prefix}sequence": "3", f"{prefix}time": naive, 7: "odd"})
    assert (envelope.sequence, envelope.time) == (3, RECEIVED)
