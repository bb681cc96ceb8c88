"""Consuming a lane: take the messages that have arrived, settle them in one transaction, acknowledge them together.

A batch is whatever has arrived, up to a limit; it doesn't wait for more, so at low rates it is a single message. Only
on an overloaded machine does an ordinary lane back off for a moment, so that its next batch is larger.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from chassis.bus.connection import BusConnection, backoff_seconds
from chassis.bus.delivery import Arrived, Delivery, Read, Suspect
from chassis.bus.messages import Incoming
from chassis.bus.retries import Forwarder
from chassis.bus.serving import stay_connected
from chassis.bus.settlement import Fate, Settled, StoreUnavailable
from chassis.clock import Clock
from chassis.observability import metrics
from chassis.observability.logs import describe

IDLE_SECONDS = 0.5
ACK_SECONDS = 0.002
"""How long the acknowledgement of a message that came alone is delayed. The broker writes acknowledgements to disk, so
that sent at once it would delay the events that the message led to, by a sixteenth."""

HELD_BYTES = 8 * 1_048_576
"""Bytes of bodies that are kept in memory; while there are more, nothing is read, and the rest waits at the broker."""

ACK_SHARE = 4
"""A quarter of a batch is acknowledged without waiting, so that the broker always has more to send."""

_FATES = {
    Fate.DONE: metrics.HANDLED,
    Fate.LATER: metrics.WAITING,
    Fate.RETRY: metrics.RETRIED,
    Fate.PARK: metrics.PARKED,
}

log = structlog.get_logger()

RunWorker = Callable[[Callable[[], list[Settled]], Callable[[], bool]], list[Settled]]
"""Runs the first function in a worker. While it waits it calls the second one again and again, without a pause as long
as that returns True."""


class _Acknowledgements:
    """Collects the acknowledgements of settled messages, to send many as one."""

    def __init__(self, connection: BusConnection, channel: Any, *, at_most: int) -> None:
        self._connection, self._channel, self._at_most = connection, channel, at_most
        self._count, self._last_tag = 0, 0

    @property
    def are_due(self) -> bool:
        return self._count > 0

    def add(self, count: int, last_tag: int) -> None:
        """Adds the deliveries up to a tag, and sends all if there are enough."""
        self._count, self._last_tag = self._count + count, last_tag
        if self._count >= self._at_most:
            self.send()

    def send(self) -> None:
        if self._count:
            self._channel.basic_ack(self._last_tag, multiple=True)
            self._connection.flush()
            self._count = 0


class LaneConsumer:
    """Consumes `<service>.<lane>` over a connection of its own, which it opens again whenever it is lost."""

    def __init__(
        self,
        *,
        service: str,
        lane: str,
        connect: Callable[[], BusConnection],
        heartbeat_seconds: int,
        batch_limit: int,
        clock: Clock,
        read: Read,
        settle: Callable[[Sequence[Arrived]], list[Settled]],
        run_worker: RunWorker,
        seconds_to_back_off: Callable[[], float],
    ) -> None:
        self._service, self._lane = service, lane
        self._connect, self._heartbeat_seconds = connect, heartbeat_seconds
        self._batch_limit = batch_limit
        self._clock = clock
        self._read, self._settle, self._run_worker = read, settle, run_worker
        self._seconds_to_back_off = seconds_to_back_off
        self._waiting: deque[Arrived] = deque()
        self._held_bytes = 0
        self.is_connected = False
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Stops taking messages, finishes the current batch, and gives the rest back to the broker."""
        self._stopping.set()
        self._stopped.wait()

    def taken(self) -> tuple[int, float]:
        """How many messages are taken and not yet settled, and how many seconds ago the first was published."""
        if not self._waiting:
            return 0, 0.0
        age = self._clock.now() - self._waiting[0].published_at
        return len(self._waiting), max(0.0, age.total_seconds())

    def run(self) -> None:
        try:
            stay_connected(self._connect, self._serve, stopping=self._stopping, name=self._lane)
        finally:
            self._stopped.set()

    def _serve(self, connection: BusConnection) -> None:
        try:
            self._consume(connection)
        finally:
            self.is_connected = False
            self._waiting.clear()
            self._held_bytes = 0

    def _consume(self, connection: BusConnection) -> None:
        channel = connection.open_channel()
        channel.add_on_cancel_callback(lambda frame: connection.give_up(ConnectionAbortedError("the queue is gone")))
        channel.basic_qos(prefetch_count=self._batch_limit * 2)
        queue = f"{self._service}.{self._lane}"
        connection.consume(channel, queue, lambda message: self._take(channel, message))
        forwarder = Forwarder(connection, service=self._service, lane=self._lane, clock=self._clock)
        settled = _Acknowledgements(connection, channel, at_most=self._batch_limit // ACK_SHARE)
        self.is_connected = True
        while not self._stopping.is_set():
            self._fill(connection, settled)
            if self._waiting:
                self._handle_batch(connection, forwarder, settled)
        settled.send()

    def _take(self, channel: Any, message: Incoming) -> None:
        delivery = Delivery.of(message, self._clock.now(), service=self._service)
        if delivery.defect:
            self._refuse(channel, delivery)
        else:
            self._waiting.append(Suspect(delivery) if delivery.is_suspect else self._read(delivery))
            self._held_bytes += len(delivery.body)

    def _refuse(self, channel: Any, delivery: Delivery) -> None:
        """Makes the broker dead-letter a message unchanged: it is too large or too broken to be read or republished."""
        channel.basic_reject(delivery.delivery_tag, requeue=False)
        metrics.PARKED.labels(self._lane).inc()
        log.warning("message_refused", lane=self._lane)

    def _fill(self, connection: BusConnection, settled: _Acknowledgements) -> None:
        """Waits for a first message if there is none, then takes what has arrived."""
        if not self._waiting and settled.are_due:
            connection.drain(ACK_SECONDS)
        has_more = True
        if not self._waiting:
            settled.send()
            has_more = connection.drain(IDLE_SECONDS)
        while has_more and self._has_room:
            has_more = connection.drain(0)
        if self._waiting and (seconds := self._seconds_to_back_off()):
            settled.send()
            metrics.GAVE_WAY.labels(self._lane).inc()
            self._back_off(connection, seconds)

    def _back_off(self, connection: BusConnection, seconds: float) -> None:
        """Leaves the processor to others for this many seconds, or until a whole batch has arrived."""
        until = time.monotonic() + seconds
        while self._has_room and (left := until - time.monotonic()) > 0:
            connection.drain(min(left, IDLE_SECONDS))
            if self._stopping.is_set():
                return

    def _handle_batch(self, connection: BusConnection, forwarder: Forwarder, settled: _Acknowledgements) -> None:
        batch, begun = self._next_batch(), time.perf_counter()
        if batch[0].delivery.is_suspect:
            settled.send()  # so that if this message kills the process, only this message is delivered again
        results = self._settle_patiently(connection, batch)
        if results is None:
            return
        self._count(results, time.perf_counter() - begun)
        forwarder.forward([result for result in results if result.fate is not Fate.DONE])
        settled.add(len(batch), batch[-1].delivery.delivery_tag)
        for _ in batch:
            self._held_bytes -= len(self._waiting.popleft().delivery.body)

    @property
    def _has_room(self) -> bool:
        return len(self._waiting) < self._batch_limit and self._held_bytes < HELD_BYTES

    def _take_in(self, connection: BusConnection) -> bool:
        """Reads what has arrived while a batch is handled, if there is room for it. True if there may be more."""
        return connection.drain(0, receive=self._held_bytes < HELD_BYTES)

    def _count(self, settled: list[Settled], seconds: float) -> None:
        metrics.BATCH.labels(self._lane).observe(len(settled))
        metrics.HANDLER_SECONDS.labels(self._lane).observe(seconds)
        for fate, count in Counter(result.fate for result in settled).items():
            _FATES[fate].labels(self._lane).inc(count)
        log.debug("batch_settled", lane=self._lane, messages=len(settled), seconds=round(seconds, 4))

    def _next_batch(self) -> list[Arrived]:
        batch: list[Arrived] = []
        for item in self._waiting:
            if len(batch) == self._batch_limit or (item.delivery.is_suspect and batch):
                break
            batch.append(item)
            if item.delivery.is_suspect:
                break
        return batch

    def _settle_patiently(self, connection: BusConnection, batch: list[Arrived]) -> list[Settled] | None:
        """Settles the batch, retrying while the database is unavailable. None if the consumer was stopped meanwhile."""
        delays = backoff_seconds()
        while not self._stopping.is_set():
            try:
                return self._run_worker(lambda: self._settle(batch), lambda: self._take_in(connection))
            except StoreUnavailable as error:
                log.warning("store_unavailable", lane=self._lane, **describe(error))
                self._wait(connection, next(delays))
        return None

    def _wait(self, connection: BusConnection, seconds: float) -> None:
        self._stopping.wait(min(seconds, self._heartbeat_seconds / 2))
        connection.drain(0)
