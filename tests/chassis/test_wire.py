"""What is read and written past pika means what pika would read and write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import BasicProperties
from pika.frame import Body, Header, Heartbeat, Method, decode_frame
from pika.spec import Basic

from chassis.bus.wire import Incoming, Incomplete, Outgoing, Unusual, incoming, publish, read_delivery

names = st.text(max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1)
odd_values = st.one_of(st.booleans(), st.none(), st.binary(max_size=9), st.lists(st.text(max_size=5), max_size=2))
headers = st.dictionaries(names, st.text(max_size=50) | numbers, max_size=6)
odd_headers = st.dictionaries(names, st.text(max_size=9) | numbers | odd_values, max_size=6)
optional_names = st.none() | names
properties = st.builds(
    BasicProperties,
    content_type=optional_names,
    content_encoding=optional_names,
    headers=st.none() | odd_headers,
    delivery_mode=st.none() | st.sampled_from([1, 2]),
    priority=st.none() | st.integers(0, 255),
    correlation_id=optional_names,
    reply_to=optional_names,
    expiration=optional_names,
    message_id=optional_names,
    timestamp=st.none() | st.integers(0, 2**40),
    type=optional_names,
    app_id=optional_names,
)
methods = st.builds(
    Basic.Deliver,
    consumer_tag=names,
    delivery_tag=st.integers(0, 2**63 - 1),
    redelivered=st.booleans(),
    exchange=names,
    routing_key=names,
)


def frames(method: Any, kept: BasicProperties, body: bytes, channel: int = 1) -> bytes:
    parts = [Method(channel, method), Header(channel, len(body), kept)] + ([Body(channel, body)] if body else [])
    return b"".join(part.marshal() for part in parts)


def taken_apart_by_pika(data: bytes) -> list[Any]:
    found = []
    while data:
        length, frame = decode_frame(data)
        found.append(frame)
        data = data[length:]
    return found


@given(method=methods, kept=properties, body=st.binary(max_size=40), before=st.binary(max_size=9))
def test_a_delivery_is_read_as_pika_reads_it(method: Any, kept: BasicProperties, body: bytes, before: bytes) -> None:
    data = frames(method, kept, body)
    consumer, message, end = read_delivery(before + data + b"next", len(before))
    assert (consumer, message) == (method.consumer_tag, incoming(method, taken_apart_by_pika(data)[1].properties, body))
    assert end == len(before + data)


@given(method=methods, kept=properties, body=st.binary(min_size=1, max_size=40), part=st.floats(0, 1, exclude_max=True))
def test_a_delivery_that_has_not_come_whole_is_waited_for(
    method: Any, kept: BasicProperties, body: bytes, part: float
) -> None:
    data = frames(method, kept, body)
    with pytest.raises(Incomplete):
        read_delivery(data[: int(len(data) * part)], 0)


METHOD = Basic.Deliver("tag", 1, False, "web.events", "HelpRequested")  # type: ignore[no-untyped-call]
PARTS = [Method(1, METHOD), Header(1, 4, BasicProperties()), Body(1, b"ab"), Body(1, b"cd")]
OTHERS = {
    "a heartbeat": [Heartbeat()],
    "another method": [Method(1, Basic.Ack(3))],  # type: ignore[no-untyped-call]
    "what was returned": [Method(1, Basic.Return(312, "", "", "")), *PARTS[1:]],  # type: ignore[no-untyped-call]
    "a body in two": PARTS,
    "a heartbeat in between": [PARTS[0], Heartbeat(), *PARTS[1:]],
    "two channels": [PARTS[0], Header(2, 4, BasicProperties()), Body(2, b"abcd")],
    "a header alone": PARTS[1:],
}


@pytest.mark.parametrize("parts", OTHERS.values(), ids=OTHERS.keys())
def test_what_is_not_one_whole_delivery_is_left_to_pika(parts: list[Any]) -> None:
    with pytest.raises(Unusual):
        read_delivery(b"".join(part.marshal() for part in parts), 0)


def test_what_is_not_utf_8_is_left_to_pika() -> None:
    data = frames(METHOD, BasicProperties(headers={"a": "???"}, message_id="1"), b"{}")
    with pytest.raises(Unusual):
        read_delivery(data.replace(b"???", b"\xff\xfe\xfd"), 0)


@given(
    channel=st.integers(1, 2_047),
    exchange=names,
    routing_key=names,
    body=st.binary(max_size=60) | st.text(max_size=60),
    kept=headers | odd_headers,
    message_id=names,
    content_type=names,
    timestamp=st.none() | st.integers(0, 2**40),
    most=st.integers(1, 60),
)
def test_pika_reads_what_is_published(
    channel: int, exchange: str, routing_key: str, body: Any, kept: Any, message_id: str, content_type: str,
    timestamp: int | None, most: int,
) -> None:  # fmt: skip
    message = Outgoing(exchange, routing_key, body, kept, message_id, content_type, timestamp)
    method, header, *bodies = taken_apart_by_pika(publish(channel, message, most))
    assert {part.channel_number for part in (method, header, *bodies)} == {channel}
    assert (method.method.exchange, method.method.routing_key) == (exchange, routing_key)
    assert (method.method.mandatory, method.method.immediate) == (True, False)
    content = body.encode() if isinstance(body, str) else body
    assert (header.body_size, b"".join(part.fragment for part in bodies)) == (len(content), content)
    assert all(len(part.fragment) <= most for part in bodies)
    assert header.properties == BasicProperties(
        content_type=content_type,
        content_encoding="utf-8",
        headers=kept,
        delivery_mode=2,
        message_id=message_id,
        timestamp=timestamp,
    )


def test_what_was_published_can_be_read() -> None:
    message = Outgoing("web.events", "HelpRequested", "{}", {"a": "b", "n": 2**40}, "id", timestamp=1)
    _, header, body = taken_apart_by_pika(publish(1, message, 100))
    data = Method(1, METHOD).marshal() + header.marshal() + body.marshal()
    read = Incoming("web.events", "HelpRequested", 1, b"{}", {"a": "b", "n": 2**40}, "application/json", "id")
    assert read_delivery(data, 0) == ("tag", read, len(data))
