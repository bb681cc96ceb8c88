"""Tells open pages what has changed: the service `console` says so after each commit, and pages then look again.

A thread listens on the broker, in a queue that goes with its connection; what it hears reaches every stream of events
(server-sent events) in this process. Nothing personal is in it, and nothing of what has changed. A page whose stream is
gone looks again from time to time instead.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress

import orjson
import structlog
from anyio import to_thread
from starlette.responses import Response, StreamingResponse

from chassis.bus.connection import BusConnection, open_connection
from chassis.bus.messages import Incoming
from chassis.bus.serving import stay_connected
from contracts.events.console import ListChanged
from contracts.shape import InvalidShape
from web.console.pages.desk import EVERYTHING
from web.shared.staff.visit import Visit

HEARTBEAT_SECONDS = 20
IDLE_SECONDS = 0.5
"""How long the thread waits for the broker before it looks whether it is to stop."""

SETTLE_SECONDS = 0.5
"""A topic that was told is not told again sooner: under load pages look once for many changes, and all at once, so that
what they are answered with is made once."""

PING_SECONDS = 15.0
MOST_TOPICS = 200
"""More than so many at once are told as EVERYTHING."""

log = structlog.get_logger()


class Stream:
    """One browser's stream, from the topics that wait to be told."""

    def __init__(self, loop: asyncio.AbstractEventLoop, is_allowed: Callable[[], bool]) -> None:
        """`is_allowed` is asked from time to time whether the stream may last."""
        self._loop, self._waiting, self._wake = loop, set[str](), asyncio.Event()
        self._is_allowed = is_allowed
        self.is_over = False

    def tell(self, topics: Iterable[str]) -> None:
        """From any thread."""
        with suppress(RuntimeError):  # its loop has ended
            self._loop.call_soon_threadsafe(self._add, tuple(topics))

    def end(self) -> None:
        self.is_over = True
        self.tell(())

    def _add(self, topics: tuple[str, ...]) -> None:
        self._waiting.update(topics)
        if len(self._waiting) > MOST_TOPICS:
            self._waiting = {EVERYTHING}
        self._wake.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n" + _event({EVERYTHING})
        while not self.is_over:
            try:
                await asyncio.wait_for(self._wake.wait(), PING_SECONDS)
            except TimeoutError:
                if not await to_thread.run_sync(self._is_allowed):
                    return
                yield b"event: ping\ndata: []\n\n"
                continue
            self._wake.clear()
            topics, self._waiting = self._waiting, set()
            if topics:
                yield _event(topics)


def _event(topics: Iterable[str]) -> bytes:
    return f"event: changed\ndata: {json.dumps(sorted(topics))}\n\n".encode()


class Settling:
    """What has changed, and when it may be told."""

    def __init__(self) -> None:
        self._told_at: dict[str, float] = {}
        self._waiting: set[str] = set()

    def add(self, topics: Iterable[str]) -> None:
        self._waiting.update(topics)

    def due(self, now: float) -> set[str]:
        """What is to be told now: what was not told for SETTLE_SECONDS."""
        self._told_at = {topic: at for topic, at in self._told_at.items() if now - at < SETTLE_SECONDS}
        due = self._waiting - self._told_at.keys()
        self._waiting -= due
        self._told_at.update(dict.fromkeys(due, now))
        return due

    def seconds_left(self, now: float) -> float:
        """Until something is due; IDLE_SECONDS if nothing is sooner."""
        return max(
            0.0, min((self._told_at[topic] + SETTLE_SECONDS - now for topic in self._waiting), default=IDLE_SECONDS)
        )


class Live:
    """What changes, for every stream of this process."""

    def __init__(self, amqp_uri: str, heard: Callable[[set[str]], None] = lambda topics: None) -> None:
        """`heard` is called with what has changed before any page is told."""
        self._amqp_uri, self._heard = amqp_uri, heard
        self._streams: set[Stream] = set()
        self._settling = Settling()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.end_streams()
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def end_streams(self) -> None:
        """Lets every stream end; browsers come back by themselves."""
        for stream in list(self._streams):
            stream.end()

    def open(self, visit: Visit) -> Response:
        """The stream of whoever is signed in."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._chunks(visit), media_type="text/event-stream", headers=headers)

    async def _chunks(self, visit: Visit) -> AsyncIterator[bytes]:
        if not self._thread.is_alive():  # nothing is heard: the browser comes back, and looks by itself meanwhile
            return
        stream = Stream(asyncio.get_running_loop(), visit.is_still_signed_in)
        self._streams.add(stream)
        try:
            async for chunk in stream.chunks():
                yield chunk
        finally:
            self._streams.discard(stream)

    def _run(self) -> None:
        stay_connected(self._connect, self._listen, stopping=self._stopping, name="live")

    def _connect(self) -> BusConnection:
        return open_connection(self._amqp_uri, name="staff live", heartbeat_seconds=HEARTBEAT_SECONDS)

    def _listen(self, connection: BusConnection) -> None:
        channel = connection.open_channel()
        declared = connection.ask(
            lambda done: channel.queue_declare("", exclusive=True, auto_delete=True, callback=done)
        )
        queue, kind = declared.method.queue, ListChanged
        connection.ask(lambda done: channel.queue_bind(queue, kind.exchange(), kind.__name__, callback=done))
        connection.consume(channel, queue, self._take, auto_ack=True)
        self._settling.add({EVERYTHING})
        while not self._stopping.is_set():
            if due := self._settling.due(time.monotonic()):
                self._tell(due)
            connection.drain(self._settling.seconds_left(time.monotonic()))

    def _take(self, message: Incoming) -> None:
        try:
            changed = ListChanged.from_json(orjson.loads(message.body))
        except (ValueError, InvalidShape):
            log.warning("change_unreadable")
            return
        self._settling.add({f"referral:{changed.subject_id}", *(f"queue:{queue}" for queue in changed.queues)})

    def _tell(self, topics: set[str]) -> None:
        self._heard(topics)
        for stream in list(self._streams):
            stream.tell(topics)
