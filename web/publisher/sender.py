"""Sends spooled messages from a thread of its own: as many at once as are waiting, for one round of confirms.

So hundreds of people a second wait for the broker together, not one after the other; and one who waits too long is let
go, because the message is safe on the disk.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from chassis.bus.connection import LOST, BusConnection, UnsafeBroker, close_quietly, open_connection
from chassis.bus.messages import Outgoing
from chassis.bus.publisher import ConfirmingPublisher
from web.publisher.spool import Spool, Spooled

HEARTBEAT_SECONDS = 20
LOOK_SECONDS = 5.0
"""How often an idle connection is looked after, so that heartbeats are answered and a loss is noticed."""

MOST_AT_ONCE = 200
PATIENCE_SECONDS = 5.0
"""How long a sender is waited for. Then the message is on its way, or will be sent on later."""


@dataclass(eq=False)
class _Outbound:
    message: Spooled
    done: threading.Event = field(default_factory=threading.Event)
    delivered: bool = False


class Sender:
    """Publishes to `web.events`, opening its connection when there is first something to send."""

    def __init__(self, amqp_uri: str, spool: Spool) -> None:
        self._amqp_uri = amqp_uri
        self._spool = spool
        self._queue: queue.SimpleQueue[_Outbound | None] = queue.SimpleQueue()
        self._connection: BusConnection | None = None
        self._publisher: ConfirmingPublisher | None = None
        self._in_hand: dict[str, _Outbound] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def send(self, messages: Iterable[Spooled]) -> int:
        """How many of these spooled messages the broker has confirmed in time. Those have left the spool."""
        with self._lock:
            outbound = [self._take(message) for message in messages]
        deadline = time.monotonic() + PATIENCE_SECONDS
        for sending in outbound:
            sending.done.wait(max(0.0, deadline - time.monotonic()))
        return sum(sending.delivered for sending in outbound)

    def stop(self) -> None:
        """Ends the thread and its connection; what it has not sent stays in the spool."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread:
            self._queue.put(None)
            thread.join()

    def _take(self, message: Spooled) -> _Outbound:
        """A message that waits to be confirmed; the same one again while it is on its way."""
        if message.message_id in self._in_hand:
            return self._in_hand[message.message_id]
        sending = _Outbound(message)
        if message not in self._spool:
            sending.delivered = True
            sending.done.set()
            return sending
        self._in_hand[message.message_id] = sending
        self._queue.put(sending)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
            self._thread.start()
        return sending

    def _run(self) -> None:
        while True:
            batch = self._next_batch()
            self._deliver([sending for sending in batch if sending])
            if None in batch:
                self._disconnect()
                return

    def _next_batch(self) -> list[_Outbound | None]:
        """Waits for the first message, looking after the connection, and takes with it what else is there."""
        batch: list[_Outbound | None] = []
        while not batch:
            try:
                batch.append(self._queue.get(timeout=LOOK_SECONDS))
            except queue.Empty:
                self._look_after_connection()
        with suppress(queue.Empty):
            while len(batch) < MOST_AT_ONCE and batch[-1] is not None:
                batch.append(self._queue.get_nowait())
        return batch

    def _deliver(self, outbound: list[_Outbound]) -> None:
        try:
            confirmed = self._publish([sending.message for sending in outbound])
        except (*LOST, UnsafeBroker):
            # Unreachable, blocked, refused, or intake has never run there: it stays in the spool.
            confirmed = frozenset()
            self._disconnect()
        for sending in outbound:
            sending.delivered = sending.message.message_id in confirmed
            if sending.delivered:
                self._spool.remove(sending.message)  # first, so that nobody finds it there and sends it again
            with self._lock:
                del self._in_hand[sending.message.message_id]
            sending.done.set()

    def _publish(self, messages: list[Spooled]) -> frozenset[str]:
        """The ids of those that have come into a queue."""
        if not messages:
            return frozenset()
        self._look_after_connection()
        if self._publisher is None:
            self._connection = open_connection(self._amqp_uri, name="web", heartbeat_seconds=HEARTBEAT_SECONDS)
            self._publisher = ConfirmingPublisher(self._connection)
        published = self._publisher.publish(_outgoing(message) for message in messages)
        return frozenset(message.message_id for message in published.taken) - published.unroutable

    def _look_after_connection(self) -> None:
        if self._connection is not None:
            try:
                self._connection.drain(0)
            except LOST:
                self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection, self._publisher = self._connection, None, None
        close_quietly(connection)


def _outgoing(message: Spooled) -> Outgoing:
    return Outgoing(message.exchange, message.routing_key, message.body, message.headers, message.message_id)
