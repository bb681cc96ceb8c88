"""Deliveries are put together whatever is in them, and what can't be taken whole costs itself alone."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import BasicProperties
from pika.frame import Body, Header, Method
from pika.spec import Basic

from chassis.bus.frames import FRAME, MAX_PROPERTIES_BYTES, Deliveries
from chassis.bus.messages import Incoming

MAX_BODY_BYTES = 10_000


def value(kind: bytes, content: bytes) -> bytes:
    return kind + content


UNREADABLE = {
    "a time beyond all years": value(b"T", struct.pack(">Q", 2**63)),
    "a number that is none": value(b"d", struct.pack(">d", float("nan"))),
    "a number without end": value(b"f", struct.pack(">f", float("inf"))),
    "a kind that isn't": value(b"?", b""),
    "a list in a list, for ever": b"".join(b"A" + struct.pack(">I", 5 * left) for left in range(3_000, 0, -1)),
    "a value cut off": value(b"T", b"\x00"),
}


def header(size: int, table: bytes) -> bytes:
    """A content header with just these headers, as bytes."""
    flags = struct.pack(">H", BasicProperties.FLAG_HEADERS)
    content = struct.pack(">HHQ", BasicProperties.INDEX, 0, size) + flags + struct.pack(">I", len(table)) + table
    return FRAME.pack(2, 1, len(content)) + content + b"\xce"


def delivered(
    tag: int, kept: BasicProperties | bytes, body: bytes, piece: int = 4_000, consumer: str = "mine"
) -> bytes:
    method = Method(1, Basic.Deliver(consumer, tag, False, "intake.events", "ReferralReceived")).marshal()
    head = kept if isinstance(kept, bytes) else Header(1, len(body), kept).marshal()
    pieces = (Body(1, body[begin : begin + piece]).marshal() for begin in range(0, len(body), piece))
    return b"".join((method, head, *pieces))


def take_in(data: bytes) -> list[Incoming]:
    """What is made of frames; every one of them must be."""
    taken: list[Incoming] = []
    deliveries = Deliveries(MAX_BODY_BYTES)
    deliveries.consume("mine", taken.append)
    at = 0
    while at < len(data):
        kind, channel, size = FRAME.unpack_from(data, at)
        begin = at + FRAME.size
        assert deliveries.takes(kind, channel, data, begin, begin + size)
        at = begin + size + 1
    return taken


texts = st.text(max_size=30)
tables = st.dictionaries(texts, texts | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none(), max_size=6)


@given(texts, tables, st.binary(max_size=9_000), st.integers(1, 5_000))
def test_a_delivery_is_what_was_published(message_id: str, headers: dict[str, Any], body: bytes, piece: int) -> None:
    kept = BasicProperties(message_id=message_id, headers=headers, user_id="web", content_type="application/json")
    (one,) = take_in(delivered(7, kept, body, piece))
    assert (one.delivery_tag, one.exchange, one.routing_key) == (7, "intake.events", "ReferralReceived")
    assert (one.message_id, one.headers, one.body, one.user_id) == (message_id, headers, body, "web")
    assert one.defect is None


@pytest.mark.parametrize("encoded", UNREADABLE.values(), ids=UNREADABLE)
def test_headers_that_cannot_be_read_cost_that_message_alone(encoded: bytes) -> None:
    good = BasicProperties(message_id="good")
    bad = header(2, b"\x03odd" + encoded)
    first, second, third = take_in(delivered(1, good, b"{}") + delivered(2, bad, b"{}") + delivered(3, good, b"{}"))
    assert (first.message_id, third.message_id) == ("good", "good")
    assert (second.defect, second.delivery_tag) == ("its headers can't be read", 2)
    assert (second.headers, second.body) == ({}, b"")


def test_a_name_that_is_no_text_is_read_and_belongs_to_nobody() -> None:
    (one,) = take_in(delivered(1, header(2, b"\x02\xff\xfeV"), b"{}"))
    assert (one.headers, one.defect) == ({b"\xff\xfe": None}, None)


def test_a_routing_key_that_is_no_text_is_none() -> None:
    method = Method(1, Basic.Deliver("mine", 1, False, "nameko-rpc", "intake.x")).marshal().replace(b".x", b"\xff\xfe")
    (one,) = take_in(method + delivered(1, BasicProperties(message_id="1"), b"{}")[len(method_of(1)) :])
    assert (one.routing_key, one.defect) == ("", "its routing key is no text")


def method_of(tag: int) -> bytes:
    marshalled: bytes = Method(1, Basic.Deliver("mine", tag, False, "intake.events", "ReferralReceived")).marshal()
    return marshalled


def test_what_we_add_ourselves_is_no_reason_to_refuse_a_message() -> None:
    kept = BasicProperties(headers={"x": "y" * MAX_PROPERTIES_BYTES})
    rest = delivered(1, kept, b"{}")[len(method_of(1)) :]
    (one,) = take_in(Method(1, Basic.Deliver("mine", 1, False, "intake.return", "inbox.5s")).marshal() + rest)
    assert one.defect is None


def test_headers_for_which_a_frame_has_no_more_room_are_too_many() -> None:
    kept = BasicProperties(headers={"x": "y" * MAX_PROPERTIES_BYTES})
    (one,) = take_in(delivered(1, kept, b"{}"))
    assert "headers are larger" in str(one.defect)


def test_a_body_that_is_too_large_is_dropped_as_it_comes_and_known_by_its_digest() -> None:
    kept = BasicProperties(message_id="big", reply_to="an address")
    body = b"x" * (MAX_BODY_BYTES + 1)
    one, same, other = take_in(delivered(1, kept, body) + delivered(2, kept, body) + delivered(3, kept, body + b"y"))
    assert (one.body, one.defect) == (b"", "it is larger than 10,000 bytes")
    assert (one.message_id, one.reply_to) == ("big", "an address"), "whoever sent it can be answered"
    assert (one.digest, same.digest) == (same.digest, one.digest)
    assert one.digest != other.digest


def test_what_comes_while_a_connection_is_closed_is_read_and_nobodys() -> None:
    taken: list[Incoming] = []
    deliveries = Deliveries(MAX_BODY_BYTES)
    deliveries.consume("mine", taken.append)
    data = delivered(1, header(2, b"\x03odd" + UNREADABLE["a time beyond all years"]), b"{}")
    starts = [0]
    while starts[-1] < len(data):
        starts.append(starts[-1] + FRAME.size + FRAME.unpack_from(data, starts[-1])[2] + 1)
    for number, (begin, end) in enumerate(pairwise(starts)):
        kind, channel, _ = FRAME.unpack_from(data, begin)
        assert deliveries.takes(kind, channel, data, begin + FRAME.size, end - 1)
        if number == 0:
            deliveries.forget_consumers()
    assert taken == []


def test_anothers_frames_are_left_to_pika() -> None:
    deliveries = Deliveries(MAX_BODY_BYTES)
    data = delivered(1, BasicProperties(), b"", consumer="another")
    kind, channel, size = FRAME.unpack_from(data, 0)
    assert not deliveries.takes(kind, channel, data, FRAME.size, FRAME.size + size)
