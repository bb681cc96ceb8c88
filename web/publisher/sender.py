"""Sends spooled messages from a background thread, in batches of all that wait.

The callers of a batch share one wait for the broker's confirms, so hundreds of messages a second can be sent. A caller
that has waited for PATIENCE_SECONDS returns, because its message is safe on disk.
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
"""How often an idle connection is served, so that heartbeats are answered and its loss is noticed."""

MOST_AT_ONCE = 200
PATIENCE_SECONDS = 5.0
"""How long a caller waits for the confirm. After that its message may still be confirmed, or is sent again later."""


@dataclass(eq=False)
class _Outbound:
    message: Spooled
    done: threading.Event = field(default_factory=threading.Event)
    delivered: bool = False


class Sender:
    """Publishes to `web.events` over a connection that is opened with the first message."""

    def __init__(self, amqp_uri: str, spool: Spool) -> None:
        self._amqp_uri = amqp_uri
        self._spool = spool
        self._queue: queue.SimpleQueue[_Outbound | None] = queue.SimpleQueue()
        self._connection: BusConnection | None = None
        self._publisher: ConfirmingPublisher | None = None
        self._unconfirmed: dict[str, _Outbound] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def send(self, messages: Iterable[Spooled]) -> int:
        """Sends spooled messages, and returns how many were confirmed in time and so removed from the spool."""
        with self._lock:
            outbound = [self._enqueue(message) for message in messages]
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

    def _enqueue(self, message: Spooled) -> _Outbound:
        """Queues a message, unless it is queued already or no longer in the spool (then it was delivered)."""
        if message.message_id in self._unconfirmed:
            return self._unconfirmed[message.message_id]
        sending = _Outbound(message)
        if message not in self._spool:
            sending.delivered = True
            sending.done.set()
            return sending
        self._unconfirmed[message.message_id] = sending
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
        """Waits for a message while serving the connection, and returns it with all others that are queued."""
        batch: list[_Outbound | None] = []
        while not batch:
            try:
                batch.append(self._queue.get(timeout=LOOK_SECONDS))
            except queue.Empty:
                self._serve_connection()
        with suppress(queue.Empty):
            while len(batch) < MOST_AT_ONCE and batch[-1] is not None:
                batch.append(self._queue.get_nowait())
        return batch

    def _deliver(self, outbound: list[_Outbound]) -> None:
        try:
            confirmed = self._publish([sending.message for sending in outbound])
        except (*LOST, UnsafeBroker):
            # Broker unreachable, blocked, refusing, or without intake's queues: the messages stay in the spool.
            confirmed = frozenset()
            self._disconnect()
        for sending in outbound:
            sending.delivered = sending.message.message_id in confirmed
            if sending.delivered:
                # Before it leaves the unconfirmed, or another thread would find it in the spool and send it again.
                self._spool.remove(sending.message)
            with self._lock:
                del self._unconfirmed[sending.message.message_id]
            sending.done.set()

    def _publish(self, messages: list[Spooled]) -> frozenset[str]:
        """The ids of the messages that were confirmed and routed into a queue. Raises one of LOST, UnsafeBroker."""
        if not messages:
            return frozenset()
        self._serve_connection()
        if self._publisher is None:
            self._connection = open_connection(self._amqp_uri, name="web", heartbeat_seconds=HEARTBEAT_SECONDS)
            self._publisher = ConfirmingPublisher(self._connection)
        published = self._publisher.publish(_outgoing(message) for message in messages)
        return frozenset(message.message_id for message in published.taken) - published.unroutable

    def _serve_connection(self) -> None:
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
