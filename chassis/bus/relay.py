"""The relay: publishes what committed units of work have to say, and has it deleted when the broker has confirmed.

What has just been committed is published from memory. After a start, a lost connection or a refusal, the relay goes
back to the table until it has caught up. Killed anywhere it resumes: a row leaves the outbox only after the broker's
confirm. At worst a window of rows is published twice, which the readers' inboxes absorb.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress

import structlog
from sqlalchemy.exc import DBAPIError

from chassis.bus.connection import LOST, BusConnection, backoff_seconds, close_quietly, open_connection
from chassis.bus.messages import Outgoing
from chassis.bus.publisher import ConfirmingPublisher, NotConfirmed
from chassis.observability import metrics
from chassis.observability.logs import describe
from chassis.store.outbox import Outbox, Waiting
from contracts.envelope import ID

WINDOW = 96
"""Rows published before the ones before them are deleted; the most duplicates that a kill can put on the wire."""

MEMORY_ROWS = 5_000
"""Committed rows kept in memory; with more than that the broker is slow, and they can be read from the table."""

LINGER_SECONDS = 0.02
"""How long a confirmed row waits for a unit of work to delete it on the way."""

FEW, ALONE_SECONDS = 4, 0.005
"""A few events come alone if none came for so long before."""

STEP_ASIDE_SECONDS = 0.001
"""For so long whoever has sent what came alone leaves the processor to the broker, which needs it to hand that on: 0.35
of 3.8 ms from in to out on two cores. What is left to do, tidying up and acknowledging, can wait."""

IDLE_SECONDS = 1.0
SWEEP_SECONDS = 5.0
"""How often the table is looked through for rows that a dead replica has left; events wait while it is."""

DRAIN_SECONDS = 10.0

log = structlog.get_logger()


class Relay:
    """Moves one service's outbox to the broker, from its own thread and over its own connection."""

    def __init__(self, *, service: str, outbox: Outbox, amqp_uri: str, heartbeat_seconds: int) -> None:
        self._service = service
        self._outbox = outbox
        self._amqp_uri = amqp_uri
        self._heartbeat_seconds = heartbeat_seconds
        self._fresh: deque[Waiting] = deque()
        self._in_hand: list[Waiting] = []
        self._publisher: ConfirmingPublisher | None = None
        self._publishing = threading.Lock()
        self._behind = False
        self._next_sweep = 0.0
        self._last_taken = 0.0
        self._delays = backoff_seconds()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self.is_connected = False

    def take(self, committed: list[Waiting]) -> None:
        """Takes over what a unit of work has just committed."""
        before, self._last_taken = self._last_taken, time.monotonic()
        if self._sent_at_once(committed):
            if len(committed) <= FEW and self._last_taken > before + ALONE_SECONDS:
                time.sleep(STEP_ASIDE_SECONDS)
        elif not self._behind:
            self._fresh.extend(committed)
            self._behind = len(self._fresh) > MEMORY_ROWS
        self._wake.set()

    def _sent_at_once(self, committed: list[Waiting]) -> bool:
        """Sends them if nothing else is on its way; whether the broker has taken them is seen to by `run`.

        An event that comes alone would otherwise wait for the relay's own thread: 0.15 of the 5 ms from in to out.
        """
        if not self._publishing.acquire(blocking=False):
            return False
        try:
            room = WINDOW - self._outbox.undeleted
            if self._publisher is None or self._in_hand or self._fresh or len(committed) > room:
                return False
            self._in_hand = committed
            with suppress(*LOST):  # which `run` meets next
                self._publisher.send(map(_outgoing, committed))
            return True
        finally:
            self._publishing.release()

    def stop(self) -> None:
        """Publishes what is there, if the broker takes it, and ends."""
        self._stopping.set()
        self._wake.set()
        self._stopped.wait(DRAIN_SECONDS)

    def run(self) -> None:
        while True:
            connection = None
            try:
                connection = open_connection(
                    self._amqp_uri, name=f"{self._service} relay", heartbeat_seconds=self._heartbeat_seconds
                )
                with self._publishing:
                    self._serve(connection)
            except (*LOST, DBAPIError) as error:
                metrics.RECONNECTS.labels("relay").inc()
                log.warning("relay_interrupted", **describe(error))
            finally:
                self.is_connected = False
                self._publisher = None
                close_quietly(connection)
            if self._stopping.is_set():
                self._stopped.set()
                return
            self._stopping.wait(next(self._delays))

    def _serve(self, connection: BusConnection) -> None:
        self._publisher = publisher = ConfirmingPublisher(connection)
        self.is_connected = True
        self._fresh.extendleft(reversed(self._in_hand))
        self._in_hand = []
        self._behind = self._behind or self._was_away_for_long()
        while True:
            self._wake.clear()
            if self._in_hand:
                self._conclude(publisher)
            if self._behind or time.monotonic() >= self._next_sweep:
                self._catch_up(publisher)
            while self._fresh and not self._behind:
                self._publish_fresh(publisher)
            if self._stopping.is_set():
                self._outbox.clear()
                return
            self._rest(connection)

    def _was_away_for_long(self) -> bool:
        """Whether another replica may have published meanwhile what is kept in memory here."""
        return bool(self._fresh) and self._outbox.may_be_taken_over(self._fresh[0])

    def _rest(self, connection: BusConnection) -> None:
        if self._outbox.is_worth_tidying:
            self._outbox.clear()
        if self._is_woken(LINGER_SECONDS):
            return  # something is to be published, and publishing drains
        self._outbox.clear()
        self._is_woken(IDLE_SECONDS)
        connection.drain(0)

    def _is_woken(self, within: float) -> bool:
        """Waits for something to do; who brings it may publish it meanwhile."""
        self._publishing.release()
        try:
            return self._wake.wait(within)
        finally:
            self._publishing.acquire()

    def _catch_up(self, publisher: ConfirmingPublisher) -> None:
        """Publishes from the table until it holds nothing but what is in memory."""
        if self._behind:
            self._fresh.clear()
            while self._publish_left_behind(publisher) == WINDOW:
                pass
        # What is committed from here on is kept in memory too, so that the next looks at the table miss nothing.
        self._behind = False
        while self._publish_left_behind(publisher) == WINDOW:
            pass
        self._next_sweep = time.monotonic() + SWEEP_SECONDS

    def _publish_left_behind(self, publisher: ConfirmingPublisher) -> int:
        self._outbox.clear()
        with self._outbox.left_behind(WINDOW) as rows:
            in_memory = {row.id for row in self._fresh}
            found = [row for row in rows if row.id not in in_memory]
            publisher.send(map(_outgoing, found))
            refused = self._refused(publisher, found)
        if refused:
            raise NotConfirmed(f"the broker refused {len(refused)} of {len(found)} events")
        return len(found)

    def _publish_fresh(self, publisher: ConfirmingPublisher) -> None:
        self._in_hand = [self._fresh.popleft() for _ in range(min(WINDOW, len(self._fresh)))]
        self._make_room(len(self._in_hand))
        publisher.send(map(_outgoing, self._in_hand))
        self._conclude(publisher)

    def _conclude(self, publisher: ConfirmingPublisher) -> None:
        """Waits until the broker has taken what is in hand. Raises NotConfirmed if it refuses some, which stay."""
        count = len(self._in_hand)
        self._in_hand = self._refused(publisher, self._in_hand)
        if self._in_hand:
            raise NotConfirmed(f"the broker refused {len(self._in_hand)} of {count} events")

    def _make_room(self, count: int) -> None:
        """Sees to it that no more than a window of rows can be published twice.

        The next unit of work deletes them at no cost, so it is waited for, unless the relay falls behind.
        """
        if self._outbox.undeleted + count > WINDOW and len(self._fresh) <= WINDOW:
            self._wake.clear()
            self._wake.wait(LINGER_SECONDS)
        if self._outbox.undeleted + count > WINDOW:
            self._outbox.clear()

    def _refused(self, publisher: ConfirmingPublisher, sent: list[Waiting]) -> list[Waiting]:
        """Waits for the broker's answers, and returns what it refused of what was sent."""
        published = publisher.answers()
        metrics.UNROUTABLE.inc(len(published.unroutable))
        metrics.CONFIRMS.inc(len(published.taken))
        ids = {message.message_id for message in published.refused}
        metrics.REFUSED.inc(len(ids))
        self._outbox.taken(row.id for row in sent if row.headers[ID] not in ids)
        if ids:
            return [row for row in sent if row.headers[ID] in ids]
        if sent:
            self._delays = backoff_seconds()
        return []


def _outgoing(row: Waiting) -> Outgoing:
    at = int(row.created_at.timestamp())
    return Outgoing(row.exchange, row.routing_key, row.body, row.headers, row.headers[ID], timestamp=at)
