"""Dead letters: the messages in a service's `.dead` queue, listed, replayed and discarded without losing any.

Listing takes every message without acknowledging it; the broker puts all of them back, in order, when the connection
closes.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pika.exceptions import ChannelClosedByBroker

from chassis.bus.connection import LOST, BusConnection, close_quietly, open_connection
from chassis.bus.failure_history import DIGEST, ERROR, LANE, REASON, History, history_of, moment, published_again, text
from chassis.bus.messages import MAX_MESSAGE_BYTES, Incoming
from chassis.bus.peek import depth, messages_in
from chassis.bus.publisher import ConfirmingPublisher, NotConfirmed
from chassis.bus.topology import DEAD, RETURN

REPLAY = "replay"
GIVE_BACK_SECONDS = 5.0
HEARTBEAT_SECONDS = 120
"""Long, because nothing is read from this connection while letters are replayed over another one: reading would buffer
everything that the broker has sent."""

MAX_BYTES = 16 * 1_048_576
"""How much of a queue, headers included, is read at once, the oldest first; the rest is read when those are settled. It
bounds the memory of the service, which reads its own dead letters."""

MAX_ID_LENGTH = 255
"""A longer message id is ignored, because a command couldn't carry it."""

NOT_FOUND = 404
BY_THE_BROKER = "the broker parked it: it was handed out too often"
UNKNOWN_ORIGIN = "nothing the broker has checked says who published it; have it published again, and discard it"


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter, described by its headers. Times are None where the headers give none.

    It may have been dead-lettered more than once: `messages` are its copies, oldest first, and the newest describes it.
    `history` is None if the broker and not the service put it here, because then anybody may have written its headers.
    `key` is unique within the queue.
    """

    service: str
    key: str
    id: str
    event: str
    lane: str
    reason: str
    error: str
    digest: str
    history: History | None
    published_at: datetime | None
    messages: tuple[Incoming, ...] = field(repr=False, compare=False)

    @property
    def message(self) -> Incoming:
        return self.messages[-1]

    @property
    def publisher(self) -> str:
        return self.history.publisher if self.history else ""

    @property
    def attempts(self) -> int:
        return self.history.attempts if self.history else 0

    @property
    def first_failed_at(self) -> datetime | None:
        return self.history.first_failed_at if self.history else None

    @property
    def copies(self) -> int:
        return len(self.messages)

    @property
    def headers(self) -> dict[str, Any]:
        """The message's headers, without those that the broker added."""
        return {str(name): value for name, value in self.message.headers.items() if not _is_brokers(name)}

    @property
    def cause(self) -> str:
        """The same for letters that failed alike: a short hash of reason, path through the code and event."""
        return hashlib.sha256(f"{self.reason}|{self.digest}|{self.event}".encode()).hexdigest()[:8]

    def summary(self) -> dict[str, Any]:
        """Everything except headers and body, as JSON."""
        names = ("service", "id", "cause", "event", "publisher", "lane", "reason", "error", "digest")
        counts = {"attempts": self.attempts, "copies": self.copies}
        times = {name: _iso(getattr(self, name)) for name in ("first_failed_at", "published_at")}
        return {name: getattr(self, name) for name in names} | counts | times


@dataclass(frozen=True)
class Selection:
    """A filter: letters with one of these ids (empty: any), of this cause, that first failed between these times."""

    ids: frozenset[str] = frozenset()
    cause: str | None = None
    failed_before: datetime | None = None
    failed_after: datetime | None = None

    def __call__(self, letter: DeadLetter) -> bool:
        failed = letter.first_failed_at
        return (
            (not self.ids or letter.id in self.ids)
            and self.cause in (None, letter.cause)
            and (self.failed_before is None or (failed is not None and failed < self.failed_before))
            and (self.failed_after is None or (failed is not None and failed > self.failed_after))
        )


@dataclass(frozen=True)
class MoveResult:
    """The letters that were replayed or discarded, and those that were left in the queue, each with the reason."""

    done: tuple[DeadLetter, ...]
    refused: tuple[tuple[DeadLetter, str], ...] = ()


class DeadQueue:
    """The dead letters of one service. Its methods raise one of LOST."""

    def __init__(self, connection: BusConnection, service: str) -> None:
        self._connection, self.service = connection, service
        self._channel = connection.open_channel()
        self._held = 0
        self.saw_all = True
        """Whether the last call of `letters` reached the end of the queue."""

    @property
    def _queue(self) -> str:
        return f"{self.service}.{DEAD}"

    def letters(self) -> list[DeadLetter]:
        """Every letter once, oldest first. Nobody else gets them until they are settled or the channel closes."""
        copies: dict[str, list[Incoming]] = defaultdict(list)
        size, self.saw_all = 0, True
        if not self._is_there():
            return []  # the service has never been started on this broker
        for message in messages_in(self._connection, self._channel, self._queue):
            self._held += 1
            copies[_key(message)].append(message)
            size += len(message.body) + len(repr(message.headers))
            if size > MAX_BYTES:
                self.saw_all = False
                break
        return [_letter(self.service, key, tuple(messages)) for key, messages in copies.items()]

    def _is_there(self) -> bool:
        try:
            depth(self._connection, self._channel, self._queue)
        except ChannelClosedByBroker as closed:
            if closed.reply_code == NOT_FOUND:
                return False
            raise
        return True

    def replay(
        self,
        wanted: Callable[[DeadLetter], bool],
        refusal: Callable[[DeadLetter], str | None],
        publisher: ConfirmingPublisher,
    ) -> MoveResult:
        """Publishes letters to their lanes again, each once and under its own id. A letter and its copies leave this
        queue only when the broker has confirmed it there. `publisher` is on a connection of its own.

        `refusal` returns why a letter must not be replayed, or None. Only the service's own broker user may do this.
        """
        done, refused = [], []
        for letter in filter(wanted, self.letters()):
            why = UNKNOWN_ORIGIN if letter.history is None else refusal(letter)
            if not why and not self._is_back_in_its_lane(publisher, letter):
                why = f"its lane, {letter.lane}, takes nothing just now"
            if why:
                refused.append((letter, why))
            else:
                self._settle(letter)
                done.append(letter)
        self._connection.flush()
        return MoveResult(tuple(done), tuple(refused))

    def discard(self, wanted: Callable[[DeadLetter], bool], record: Callable[[DeadLetter], None]) -> MoveResult:
        """Drops letters for good, with all of their copies, each after `record` has added it to the audit log."""
        done = list(filter(wanted, self.letters()))
        for letter in done:
            record(letter)
            self._settle(letter)
        self._connection.flush()
        return MoveResult(tuple(done))

    def give_back(self) -> None:
        """Puts letters that weren't settled back, and returns when the broker lists them as ready again."""
        if not self._held:
            return
        with suppress(*LOST):
            self._connection.close_channel(self._channel)
            deadline, channel = time.monotonic() + GIVE_BACK_SECONDS, self._connection.open_channel()
            while depth(self._connection, channel, self._queue) < self._held and time.monotonic() < deadline:
                time.sleep(0.02)  # in vain if another consumer has taken them meanwhile

    def _is_back_in_its_lane(self, publisher: ConfirmingPublisher, letter: DeadLetter) -> bool:
        history = letter.history
        assert history is not None
        again = published_again(
            letter.message,
            History(history.exchange, history.routing_key, history.user),
            exchange=f"{self.service}.{RETURN}",
            routing_key=f"{letter.lane}.{REPLAY}",
            lane=letter.lane,
        )
        published = publisher.publish([again])
        if published.refused:
            raise NotConfirmed(f"{again.exchange} takes nothing just now")
        return not published.unroutable

    def _settle(self, letter: DeadLetter) -> None:
        for message in letter.messages:
            self._channel.basic_ack(message.delivery_tag)
            self._held -= 1


@contextmanager
def dead_queue(amqp_uri: str, service: str, *, max_message_bytes: int) -> Iterator[DeadQueue]:
    """The service's dead letters, on a connection of their own. Raises one of LOST."""
    with _connected(amqp_uri, f"{service} dead letters", max_message_bytes) as connection:
        queue = DeadQueue(connection, service)
        yield queue
        queue.give_back()


@contextmanager
def replaying(amqp_uri: str, service: str) -> Iterator[ConfirmingPublisher]:
    """The publisher for `DeadQueue.replay`. Raises one of LOST."""
    with _connected(amqp_uri, f"{service} replay", MAX_MESSAGE_BYTES) as connection:
        yield ConfirmingPublisher(connection)


@contextmanager
def _connected(amqp_uri: str, name: str, max_message_bytes: int) -> Iterator[BusConnection]:
    connection = open_connection(
        amqp_uri, name=name, heartbeat_seconds=HEARTBEAT_SECONDS, max_message_bytes=max_message_bytes
    )
    try:
        yield connection
    finally:
        close_quietly(connection)


def too_old(letter: DeadLetter, *, now: datetime, retention: timedelta, is_safe: bool) -> str | None:
    """Why a letter must not be replayed, or None: when it is older than the inbox remembers, it may already have been
    handled.

    `is_safe` says that its handler is idempotent by a business key, without the inbox.
    """
    known_since = min((at for at in (letter.published_at, letter.first_failed_at) if at), default=None)
    if is_safe or (known_since and now - known_since < retention):
        return None
    return (
        f"it is older than {letter.service} remembers what it has handled ({retention.days} days), and to handle "
        f"{letter.event} twice is not safe. Look at it with `leeward dead show {letter.id}`, bring about by a command "
        "what is still missing, and discard it"
    )


def _letter(service: str, key: str, messages: tuple[Incoming, ...]) -> DeadLetter:
    message = messages[-1]
    headers, history = message.headers, _history(message)
    failure = {name: text(headers, name) or "" for name in (REASON, ERROR, DIGEST)} if history else {}
    return DeadLetter(
        service=service,
        key=key,
        id=_id(message),
        event=text(headers, "cloudEvents_type") or text(headers, "cloudEvents:type") or _routing_key(history),
        lane=_lane(message),
        reason=failure.get(REASON) or message.defect or BY_THE_BROKER,
        error=failure.get(ERROR, ""),
        digest=failure.get(DIGEST, ""),
        history=history,
        published_at=moment(text(headers, "cloudEvents_time") or text(headers, "cloudEvents:time")),
        messages=messages,
    )


def _history(message: Incoming) -> History | None:
    """The history that the service wrote; None for a message that the broker moved here, which has an `x-death`."""
    return None if message.defect or "x-death" in message.headers else history_of(message.headers)


def _lane(message: Incoming) -> str:
    return (text(message.headers, LANE) if _history(message) else None) or "inbox"


def _key(message: Incoming) -> str:
    """The same for every copy of a letter. A message that the broker moved here is never a copy of one that the service
    published here, because anybody may have given it that id."""
    parked_by = "service" if _history(message) else "broker"
    return hashlib.sha256(f"{parked_by}|{_lane(message)}|{_id(message)}".encode()).hexdigest()[:32]


def _routing_key(history: History | None) -> str:
    return history.routing_key if history else ""


def _id(message: Incoming) -> str:
    """The event's id, or the AMQP message's, or else a hash: of the body alone if that was dropped unread, or of
    headers and body."""
    event_id = text(message.headers, "cloudEvents_id") or text(message.headers, "cloudEvents:id")
    amqp_id = message.message_id if isinstance(message.message_id, str) else ""
    named = (name for name in (event_id, amqp_id) if name and len(name) <= MAX_ID_LENGTH)
    return next(named, None) or message.digest or _digest(message)


def _digest(message: Incoming) -> str:
    headers = sorted((str(name), repr(value)) for name, value in message.headers.items() if not _is_brokers(name))
    return f"none-{hashlib.sha256(repr(headers).encode() + message.body).hexdigest()[:16]}"


def _is_brokers(name: Any) -> bool:
    return str(name).startswith("x-")


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
