"""Assembles deliveries from AMQP frames, so that a bad message affects no other.

pika ends the connection at properties that it can't read, and does so again each time the broker redelivers the
message; and it keeps a body in memory however large it is. Here either becomes a delivery with a `defect`, whose body
is dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from struct import Struct

from pika import BasicProperties, spec

from chassis.bus.messages import Incoming

MAX_PROPERTIES_BYTES = 32_768
"""Of properties, headers included. A message that is retried is published again with a few more headers, and a frame
has room for 131,072 bytes: the broker would end the connection at a larger one."""

ADDED_BYTES = 16_384
"""The most that we and the broker add to the headers of a message that is retried or parked; it isn't refused for
that."""

_ADDED_TO = (".return", ".retry")
"""The suffixes of the exchanges that such messages come from."""

FRAME = Struct(">BHI")
"""A frame's header: its kind, its channel, and the size of its payload, after which one byte marks its end."""

FRAME_END_BYTES = 1
_SIZE_OF_BODY = Struct(">Q")
_SIZE_AT, _PROPERTIES_AT = 4, 12
"""Offsets in a content header: the body's size follows a class id and an unused weight, the properties follow that."""

_METHOD = Struct(">I")

Take = Callable[[Incoming], object]


class Deliveries:
    """What the broker delivers to the consumers of one connection."""

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._takers: dict[str, Take] = {}
        self._begun: dict[int, _Delivery] = {}

    def consume(self, consumer_tag: str, take: Take) -> None:
        self._takers[consumer_tag] = take

    def forget_consumers(self) -> None:
        """Drops what is delivered from here on, or partly delivered. It is still read here and not by pika."""
        self._takers = dict.fromkeys(self._takers, lambda message: None)

    def takes(self, kind: int, channel: int, buffer: bytes, begin: int, end: int) -> bool:
        """Processes a frame, whose payload is between `begin` and `end`, if it is part of a delivery to a consumer.

        Returns whether it was; pika has to process all others.
        """
        if kind == spec.FRAME_METHOD:
            return self._begin(channel, buffer, begin)
        delivery = self._begun.get(channel)
        if delivery is None:
            return False
        if kind == spec.FRAME_HEADER:
            delivery.read_header(buffer, begin, end, self._max_body_bytes)
        elif kind == spec.FRAME_BODY:
            delivery.add(buffer[begin:end])
        else:
            return False
        if delivery.is_whole:
            del self._begun[channel]
            self._takers[delivery.consumer_tag](delivery.message())
        return True

    def _begin(self, channel: int, buffer: bytes, begin: int) -> bool:
        (method,) = _METHOD.unpack_from(buffer, begin)
        if method != spec.Basic.Deliver.INDEX:
            return False
        deliver = spec.Basic.Deliver()
        deliver.decode(buffer, begin + _METHOD.size)
        if deliver.consumer_tag not in self._takers:
            return False
        self._begun[channel] = _Delivery(deliver)
        return True


class _Delivery:
    """One delivery, of which some frames may be missing yet."""

    __slots__ = ("_defect", "_digest", "_method", "_missing", "_pieces", "_properties")

    def __init__(self, method: spec.Basic.Deliver) -> None:
        self._method = method
        self._properties: BasicProperties | None = None
        self._missing: int | None = None
        self._pieces: list[bytes] = []
        self._defect: str | None = None

    @property
    def consumer_tag(self) -> str:
        return str(self._method.consumer_tag)

    @property
    def is_whole(self) -> bool:
        return self._missing == 0

    def read_header(self, buffer: bytes, begin: int, end: int, max_body_bytes: int) -> None:
        (self._missing,) = _SIZE_OF_BODY.unpack_from(buffer, begin + _SIZE_AT)
        if not (isinstance(self._method.exchange, str) and isinstance(self._method.routing_key, str)):
            self._method.exchange = self._method.routing_key = ""
            self._refuse("its routing key is no text")
            return
        if end - begin > MAX_PROPERTIES_BYTES + ADDED_BYTES * self._method.exchange.endswith(_ADDED_TO):
            self._refuse(f"its headers are larger than {MAX_PROPERTIES_BYTES:,} bytes")
            return
        properties = BasicProperties()
        try:
            properties.decode(buffer[begin + _PROPERTIES_AT : end])
        except Exception:
            # A sender can make the library fail in many ways: a time beyond the year 9999, a type of value that it
            # doesn't know, a number that isn't one, tables nested a thousand deep.
            self._refuse("its headers can't be read")
            return
        self._properties = properties
        if self._missing > max_body_bytes:
            self._refuse(f"it is larger than {max_body_bytes:,} bytes")

    def add(self, piece: bytes) -> None:
        assert self._missing is not None
        self._missing -= len(piece)
        if self._defect is None:
            self._pieces.append(piece)
        else:
            self._digest.update(piece)

    def message(self) -> Incoming:
        method, properties = self._method, self._properties or BasicProperties()
        return Incoming(
            method.exchange,
            method.routing_key,
            method.delivery_tag,
            self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces),
            properties.headers or {},
            properties.content_type,
            properties.message_id,
            properties.user_id,
            properties.reply_to,
            properties.correlation_id,
            self._defect,
            f"body-{self._digest.hexdigest()[:16]}" if self._defect else "",
            bool(method.redelivered),
        )

    def _refuse(self, defect: str) -> None:
        self._defect, self._digest = defect, hashlib.sha256(defect.encode())
