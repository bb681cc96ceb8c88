"""A TCP proxy before a broker, of the tests' own: it reads the AMQP frames that go by, and may drop, alter, tear, slow
or swallow them. What it is told to do it does to real bytes of real connections; neither side knows of it."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

METHOD, HEADER, BODY = 1, 2, 3
CONNECTION_BLOCKED, CONNECTION_UNBLOCKED = (10, 60), (10, 61)
CHANNEL_CLOSE = (20, 40)
CONSUME, PUBLISH, RETURN, DELIVER = (60, 20), (60, 40), (60, 50), (60, 60)
ACK, REJECT, NACK, CONFIRM_SELECT = (60, 80), (60, 90), (60, 120), (85, 10)
PROTOCOL_HEADER_BYTES = 8
FRAME_OVERHEAD = 8
CHUNK_BYTES = 65_536


class Link:
    """One client's connection, and the one to the broker that was opened for it."""

    def __init__(self, client: socket.socket, broker: socket.socket, *, up: bool, down: bool) -> None:
        self.client, self.broker = client, broker
        self.swallows = {True: up, False: down}
        self.dropping: set[int] = set()
        self._locks = {True: threading.Lock(), False: threading.Lock()}

    def send(self, data: bytes, *, up: bool) -> None:
        """Sends whole frames to the broker (up) or to the client."""
        with self._locks[up]:
            (self.broker if up else self.client).sendall(data)

    def reset(self) -> None:
        """Ends both connections with a TCP reset, as a router that has lost its tables does."""
        for one in (self.client, self.broker):
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def end(self, *, up: bool) -> None:
        """Passes on that a side has closed, unless the way there is a black hole."""
        if self.swallows[up]:
            return
        for one in (self.client, self.broker):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Frame:
    """A frame on its way to the broker (up) or to the client."""

    link: Link
    up: bool
    raw: bytes

    @property
    def kind(self) -> int:
        return self.raw[0]

    @property
    def channel(self) -> int:
        return int(struct.unpack_from(">H", self.raw, 1)[0])

    @property
    def method(self) -> tuple[int, int] | None:
        if self.kind != METHOD:
            return None
        class_id, method_id = struct.unpack_from(">HH", self.raw, 7)
        return class_id, method_id

    @property
    def exchange(self) -> str:
        """Of a publish."""
        return self.raw[14 : 14 + self.raw[13]].decode()

    def drop_message(self) -> bytes:
        """Has a publish's header and body dropped too; what a filter returns to drop a whole message."""
        self.link.dropping.add(self.channel)
        return b""

    def tear(self) -> bytes:
        """Sends half of the frame and then resets the connection."""
        self.link.send(self.raw[: len(self.raw) // 2], up=self.up)
        self.link.reset()
        return b""


Filter = Callable[[Frame], bytes]
"""Given a frame, returns what is sent in its place: `frame.raw`, something else, or nothing."""


@dataclass
class Proxy:
    """Listens on `port` of loopback and passes on to `target`, a port that may change."""

    target: int
    filters: list[Filter] = field(default_factory=list)
    delay_seconds: float = 0.0
    seen: Counter[tuple[bool, tuple[int, int]]] = field(default_factory=Counter)
    published: Counter[str] = field(default_factory=Counter)
    opened: int = 0

    def __post_init__(self) -> None:
        self._swallows = {True: False, False: False}
        self._links: list[Link] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self.reset_all()

    def reset_all(self) -> None:
        for link in self._links:
            link.reset()
        self._links.clear()

    def black_hole(self, *, up: bool) -> None:
        """Swallows from now on what goes to the broker (up) or what comes from it, on every connection."""
        self._swallows[up] = True
        for link in self._links:
            link.swallows[up] = True

    def heal(self) -> None:
        """New connections work again. The ones that were swallowed stay so: bytes of theirs are gone for good."""
        self._swallows = {True: False, False: False}

    @contextmanager
    def filtered(self, *filters: Filter) -> Iterator[None]:
        """Puts these before the other filters for as long as the block runs."""
        before = self.filters
        self.filters = [*before, *filters]
        try:
            yield
        finally:
            self.filters = before

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.opened += 1
            try:
                broker = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            link = Link(client, broker, up=self._swallows[True], down=self._swallows[False])
            self._links.append(link)
            for up in (True, False):
                threading.Thread(target=self._pump, args=(link, up), daemon=True).start()

    def _pump(self, link: Link, up: bool) -> None:
        source, rest = link.client if up else link.broker, b""
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                if link.swallows[up]:
                    continue
                frames, rest = split(rest + data)
                for frame in frames:
                    passed = self._passed(link, frame, up)
                    if passed and not link.swallows[up]:
                        link.send(passed, up=up)
        link.end(up=up)

    def _passed(self, link: Link, raw: bytes, up: bool) -> bytes:
        if raw.startswith(b"AMQP"):
            return raw
        frame = Frame(link, up, raw)
        if up and frame.channel in link.dropping:
            if frame.kind in (HEADER, BODY):
                return b""
            link.dropping.discard(frame.channel)
        if frame.method:
            self.seen[up, frame.method] += 1
            if frame.method == PUBLISH and up:
                self.published[frame.exchange] += 1
        for one in self.filters:
            raw = one(Frame(link, up, raw))
            if not raw:
                return b""
        return raw


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole frames at the beginning of `data`, and what is left. The protocol's greeting counts as a frame."""
    frames, at = [], 0
    if data.startswith(b"AMQP") and len(data) >= PROTOCOL_HEADER_BYTES:
        frames, at = [data[:PROTOCOL_HEADER_BYTES]], PROTOCOL_HEADER_BYTES
    while len(data) >= at + FRAME_OVERHEAD:
        end = at + FRAME_OVERHEAD + struct.unpack_from(">I", data, at + 3)[0]
        if len(data) < end:
            break
        frames.append(data[at:end])
        at = end
    return frames, data[at:]
