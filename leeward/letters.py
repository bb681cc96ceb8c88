"""Dead letters: what lies in the services' `.dead` queues, looked at and moved without losing any.

Looking takes every message without acknowledging it and gives all of them back, in order, when the connection closes.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import amqp
from amqp.exceptions import NotFound
from kombu import Connection

from chassis.bus.delivery import ORIGIN_EXCHANGE, ORIGIN_ROUTING_KEY
from chassis.bus.retries import ATTEMPTS, DIGEST, ERROR, FIRST_FAILED_AT, LANE, REASON, WAITS
from chassis.bus.returns import LIMITS, republish, taken
from chassis.bus.topology import DEAD
from leeward.bodies import body_for_people

REPLAY = "replay"
GIVE_BACK_SECONDS = 5.0
TOLD_BY_US = (ATTEMPTS, WAITS, FIRST_FAILED_AT, REASON, ERROR, DIGEST, LIMITS)
"""What a failed message's headers say of its failures; a replay begins anew."""


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter, as its headers tell of it. Times are None where it doesn't say.

    It may have been parked more than once: `messages` are its copies, oldest first, and the newest tells of it.
    """

    service: str
    id: str
    event: str
    publisher: str
    lane: str
    reason: str
    error: str
    digest: str
    attempts: int
    first_failed_at: datetime | None
    published_at: datetime | None
    messages: tuple[amqp.Message, ...] = field(repr=False, compare=False)

    @property
    def message(self) -> amqp.Message:
        return self.messages[-1]

    @property
    def copies(self) -> int:
        return len(self.messages)

    @property
    def cause(self) -> str:
        """What letters that died alike have in common: a short name for reason, path through the code and event."""
        return hashlib.sha256(f"{self.reason}|{self.digest}|{self.event}".encode()).hexdigest()[:8]

    @property
    def headers(self) -> dict[str, Any]:
        return dict(self.message.headers or {})

    def body(self) -> Any:
        """The body for people: see `leeward.bodies`."""
        return body_for_people(self.publisher, self.event, self.message.body)

    def told(self) -> dict[str, Any]:
        """All about it but the body, as JSON."""
        names = ("service", "id", "cause", "event", "publisher", "lane", "reason", "error", "digest")
        counts = {"attempts": self.attempts, "copies": self.copies}
        times = {name: _iso(getattr(self, name)) for name in ("first_failed_at", "published_at")}
        return {name: getattr(self, name) for name in names} | counts | times

    def exported(self) -> dict[str, Any]:
        """Everything, byte for byte, as JSON; what is sealed is in it as it came."""
        body = self.message.body if isinstance(self.message.body, bytes) else self.message.body.encode()
        headers = {name: value for name, value in self.headers.items() if not name.startswith("x-")}
        content_type = self.message.properties.get("content_type")
        encoded = base64.b64encode(body).decode()
        return {**self.told(), "headers": headers, "content_type": content_type, "body_base64": encoded}


Wanted = Callable[[DeadLetter], bool]


@dataclass(frozen=True)
class Outcome:
    """What became of the letters that were meant: how many were moved, and why others were left where they are."""

    done: int
    refused: tuple[tuple[DeadLetter, str], ...] = ()


class DeadQueue:
    """The dead letters of one service."""

    def __init__(self, connection: Connection, service: str) -> None:
        self._connection, self.service = connection, service
        self._channel = connection.channel()
        self._held = 0

    def letters(self) -> list[DeadLetter]:
        """Every letter once, oldest first. Each stays out of the queue until it is settled or the channel closes."""
        try:
            self._channel.queue_declare(f"{self.service}.{DEAD}", passive=True)
        except NotFound:
            return []  # the service has never been started on this broker
        copies: dict[tuple[str, object], list[amqp.Message]] = defaultdict(list)
        for message in taken(self._channel, f"{self.service}.{DEAD}"):
            self._held += 1
            headers = message.headers or {}
            # What has no id may be anything, and is a letter of its own.
            copies[_told(headers, LANE), _id(message) or message.delivery_tag].append(message)
        return [_letter(self.service, tuple(messages)) for messages in copies.values()]

    def give_back(self) -> None:
        """Puts what was only looked at back, and returns when whoever looks next will find it."""
        if not self._held:
            return
        self._channel.close()
        deadline = time.monotonic() + GIVE_BACK_SECONDS
        with self._connection.channel() as channel:
            while channel.queue_declare(f"{self.service}.{DEAD}", passive=True).message_count < self._held:
                if time.monotonic() > deadline:
                    return  # somebody else has them in hand
                time.sleep(0.02)

    def _settle(self, letter: DeadLetter) -> None:
        for message in letter.messages:
            self._channel.basic_ack(message.delivery_tag)
            self._held -= 1

    def replay(self, wanted: Wanted, refusal: Callable[[DeadLetter], str | None]) -> Outcome:
        """Puts letters back into their lanes, each once and under its own id. It leaves here, with all of its copies,
        only when the broker has it there.

        `refusal` says why a letter must not be replayed, or None.
        """
        done, refused = 0, []
        for letter in self.letters():
            if not wanted(letter):
                continue
            why = refusal(letter)
            if why:
                refused.append((letter, why))
                continue
            headers = {
                name: value
                for name, value in letter.headers.items()
                if name not in TOLD_BY_US and not name.startswith("x-")
            }
            exchange, key = f"{self.service}.return", f"{letter.lane}.{REPLAY}"
            republish(self._channel, letter.message, headers, exchange=exchange, routing_key=key)
            self._settle(letter)
            done += 1
        return Outcome(done, tuple(refused))

    def discard(self, wanted: Wanted, record: Callable[[DeadLetter], None]) -> Outcome:
        """Drops letters for good, with all of their copies, each after `record` has put it on record."""
        done = 0
        for letter in self.letters():
            if wanted(letter):
                record(letter)
                self._settle(letter)
                done += 1
        return Outcome(done)


@contextmanager
def dead_queues(amqp_uri: str, services: Iterable[str]) -> Iterator[list[DeadQueue]]:
    """The services' dead letters, each on a channel of its own with confirms."""
    options = {"confirm_publish": True}
    with Connection(amqp_uri, connect_timeout=5, transport_options=options) as connection:
        queues = [DeadQueue(connection, service) for service in services]
        yield queues
        for queue in queues:
            queue.give_back()


def too_old(
    letter: DeadLetter, *, now: datetime, retention: timedelta, safe: Callable[[DeadLetter], str]
) -> str | None:
    """Why a letter must not be replayed, or None: the inbox may have forgotten that it took effect.

    `safe` names the business key that makes its handler safe without the inbox, or gives nothing.
    """
    known_since = letter.published_at or letter.first_failed_at
    if known_since and now - known_since < retention:
        return None
    if safe(letter):
        return None
    return (
        f"it is older than {letter.service} remembers what it has handled ({retention.days} days), and to handle "
        f"{letter.event} twice is not safe. Look at it with `leeward dead show {letter.id}`, bring about by a command "
        "what is still missing, and discard it"
    )


def _letter(service: str, messages: tuple[amqp.Message, ...]) -> DeadLetter:
    headers = messages[-1].headers or {}
    exchange = _told(headers, ORIGIN_EXCHANGE)
    return DeadLetter(
        service=service,
        id=_id(messages[-1]),
        event=_told(headers, "cloudEvents_type", "cloudEvents:type", ORIGIN_ROUTING_KEY),
        publisher=exchange.removesuffix(".events"),
        lane=_told(headers, LANE) or "inbox",
        reason=_told(headers, REASON),
        error=_told(headers, ERROR),
        digest=_told(headers, DIGEST),
        attempts=int(headers.get(ATTEMPTS) or 0),
        first_failed_at=_moment(_told(headers, FIRST_FAILED_AT)),
        published_at=_moment(_told(headers, "cloudEvents_time", "cloudEvents:time")),
        messages=messages,
    )


def _id(message: amqp.Message) -> str:
    told = _told(message.headers or {}, "cloudEvents_id", "cloudEvents:id")
    return told or str(message.properties.get("message_id") or "")


def _told(headers: Mapping[str, Any], *names: str) -> str:
    """The first of these headers that says something."""
    return str(next((headers[name] for name in names if headers.get(name)), ""))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
