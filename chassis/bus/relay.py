"""The relay: publishes the events of committed units of work, and has their outbox rows deleted once confirmed.

Events that have just been committed are published from memory. After a start, a lost connection or a refusal, the relay
reads the outbox table until it has caught up. It may be killed at any point: a row leaves the outbox only after the
broker's confirm. At worst a window of rows is published twice, and the readers' inboxes drop the duplicates.
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
"""The most rows that are published and not yet deleted, and so the most duplicates that a kill can cause."""

MEMORY_ROWS = 5_000
"""The most committed rows kept in memory. When there are more, the broker is slow, and they are read from the table."""

LINGER_SECONDS = 0.02
"""How long a confirmed row waits for the next unit of work to delete it in its own transaction."""

FEW, ALONE_SECONDS = 4, 0.005
"""At most this many events count as having come alone, if no others were committed for this long before them."""

STEP_ASIDE_SECONDS = 0.001
"""How long the thread that has published events that came alone leaves the processor to the broker, which needs it to
deliver them: this saves 0.35 of 3.8 ms from delivery to delivery on two cores. What is left to do can wait."""

IDLE_SECONDS = 1.0
SWEEP_SECONDS = 5.0
"""How often the table is searched for rows that a dead replica has left; new events wait meanwhile."""

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
        """Publishes what a unit of work has just committed: at once if the relay is idle, or else from its thread."""
        before, self._last_taken = self._last_taken, time.monotonic()
        if self._send_at_once(committed):
            if len(committed) <= FEW and self._last_taken > before + ALONE_SECONDS:
                time.sleep(STEP_ASIDE_SECONDS)
        elif not self._behind:
            self._fresh.extend(committed)
            self._behind = len(self._fresh) > MEMORY_ROWS
        self._wake.set()

    def _send_at_once(self, committed: list[Waiting]) -> bool:
        """Sends events from the caller's thread if nothing else is being published; `run` waits for the confirms.

        An event that comes alone would otherwise wait for the relay's own thread, which takes 0.15 of the 5 ms from
        delivery to delivery. Returns whether they were sent.
        """
        if not self._publishing.acquire(blocking=False):
            return False
        try:
            room = WINDOW - self._outbox.undeleted
            if self._publisher is None or self._in_hand or self._fresh or len(committed) > room:
                return False
            self._in_hand = committed
            with suppress(*LOST):  # `run` will meet the same error
                self._publisher.send(map(_outgoing, committed))
            return True
        finally:
            self._publishing.release()

    def stop(self) -> None:
        """Publishes what was committed, waiting for the broker at most DRAIN_SECONDS, and ends the relay's thread."""
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
                self._await_confirms(publisher)
            if self._behind or time.monotonic() >= self._next_sweep:
                self._catch_up(publisher)
            while self._fresh and not self._behind:
                self._publish_fresh(publisher)
            if self._stopping.is_set():
                self._outbox.clear()
                return
            self._idle(connection)

    def _was_away_for_long(self) -> bool:
        """Whether another replica may have published the rows in memory here meanwhile."""
        return bool(self._fresh) and self._outbox.may_be_taken_over(self._fresh[0])

    def _idle(self, connection: BusConnection) -> None:
        if self._outbox.is_worth_tidying:
            self._outbox.clear()
        if self._is_woken(LINGER_SECONDS):
            return  # there is something to publish, and publishing drains the connection
        self._outbox.clear()
        self._is_woken(IDLE_SECONDS)
        connection.drain(0)

    def _is_woken(self, within: float) -> bool:
        """Waits for something to do. Meanwhile `take` may publish from its caller's thread."""
        self._publishing.release()
        try:
            return self._wake.wait(within)
        finally:
            self._publishing.acquire()

    def _catch_up(self, publisher: ConfirmingPublisher) -> None:
        """Publishes from the table until it holds only rows that are in memory too."""
        if self._behind:
            self._fresh.clear()
            while self._publish_left_behind(publisher) == WINDOW:
                pass
        # From here on committed rows are kept in memory again. The table is read once more for those of before.
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
        self._await_confirms(publisher)

    def _await_confirms(self, publisher: ConfirmingPublisher) -> None:
        """Waits until the broker has confirmed what was sent. Raises NotConfirmed if it refused some, which are
        kept."""
        count = len(self._in_hand)
        self._in_hand = self._refused(publisher, self._in_hand)
        if self._in_hand:
            raise NotConfirmed(f"the broker refused {len(self._in_hand)} of {count} events")

    def _make_room(self, count: int) -> None:
        """Ensures that at most a window of rows can be published twice, by deleting rows that are confirmed.

        The next unit of work would delete them at no cost, so it is waited for first, unless the relay is falling
        behind.
        """
        if self._outbox.undeleted + count > WINDOW and len(self._fresh) <= WINDOW:
            self._wake.clear()
            self._wake.wait(LINGER_SECONDS)
        if self._outbox.undeleted + count > WINDOW:
            self._outbox.clear()

    def _refused(self, publisher: ConfirmingPublisher, sent: list[Waiting]) -> list[Waiting]:
        """Waits for the broker's answers, and returns the rows that it refused."""
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
