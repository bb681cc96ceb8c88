"""What a service tells of its own dead letters, and does with them when it is told to: nobody else may."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from chassis.audit.chain import AuditAction
from chassis.bus.connection import LOST
from chassis.bus.dead_letters import DeadLetter, DeadQueue, Outcome, Selection, dead_queue, replaying, too_old
from chassis.host.provider import Chassis
from chassis.ports import Refused
from chassis.privacy.redaction import WITHHELD, body_for_people
from contracts.commands.operations import (
    PAGE_BYTES,
    ChosenDeadLetters,
    DeadLettersMoved,
    DeadLettersPage,
    DiscardDeadLetters,
    LookAtDeadLetters,
    RefusedLetter,
    ReplayDeadLetters,
)

CODE = "dead_letter"
"""The audit log's reason for what is discarded."""


_ONE_AT_A_TIME = threading.Lock()
"""Of two that look at once each finds only what the other has not in hand."""


class BrokerUnavailable(Refused):
    """The dead letters can't be reached just now."""


class LettersMoved(Refused):
    """The letter that a page ended with is gone, so nobody knows where the next one begins."""


Telling = Callable[[DeadLetter], dict[str, Any]]
"""What is told of a letter, as JSON."""


def look(chassis: Chassis, service: str, asked: LookAtDeadLetters, told: Telling) -> DeadLettersPage:
    """A page of the letters that are meant. Raises LettersMoved and BrokerUnavailable."""
    wanted = _selection(asked)
    with _own_letters(chassis, service) as queue:
        letters = queue.letters()
        saw_all = queue.saw_all
    page: list[dict[str, Any]] = []
    size, last = 0, None
    for letter in filter(wanted, _behind(letters, asked.after)):
        one = told(letter)
        size += len(orjson.dumps(one))
        if page and size > PAGE_BYTES:
            return DeadLettersPage(page, last, saw_all)
        page.append(one)
        last = letter.key
    return DeadLettersPage(page, None, saw_all)


def shown(letter: DeadLetter) -> dict[str, Any]:
    """All about a letter, for a person's eyes: what is sealed in its body stays sealed."""
    headers = {name: str(value) for name, value in letter.headers.items()}
    body = WITHHELD if letter.message.defect else body_for_people(letter.publisher, letter.event, letter.message.body)
    return {**letter.told(), "headers": headers, "body": body}


def exported(letter: DeadLetter) -> dict[str, Any]:
    """Everything, byte for byte; what is sealed is in it as it came. What was too large has no body."""
    message = letter.message
    body = None if message.defect else base64.b64encode(message.body).decode()
    headers = {name: _json(value) for name, value in letter.headers.items()}
    content_type = _json(message.content_type)
    return {**letter.told(), "headers": headers, "content_type": content_type, "body_base64": body}


def replay(
    chassis: Chassis, service: str, asked: ReplayDeadLetters, business_keys: Mapping[tuple[str, str], str]
) -> DeadLettersMoved:
    """Puts those that are meant back into their lanes; refuses what the inbox may have forgotten."""
    now, retention = chassis.clock.now(), timedelta(days=chassis.settings.inbox_retention_days)
    selection = _selection(asked)

    def refusal(letter: DeadLetter) -> str | None:
        is_safe = (letter.publisher, letter.event) in business_keys
        return too_old(letter, now=now, retention=retention, is_safe=is_safe)

    def put_back(queue: DeadQueue) -> Outcome:
        with replaying(chassis.settings.amqp_uri, service) as publisher:
            return queue.replay(selection, refusal, publisher)

    return _moved(chassis, service, put_back)


def discard(chassis: Chassis, service: str, asked: DiscardDeadLetters) -> DeadLettersMoved:
    """Drops those of these ids, each on record."""

    def record(letter: DeadLetter) -> None:
        with chassis.unit() as unit:
            unit.record_audit(AuditAction.DISCARDED, who=asked.discarded_by, subject_id=_subject(letter), reason=CODE)

    return _moved(chassis, service, lambda queue: queue.discard(Selection(frozenset(asked.ids)), record))


def _moved(chassis: Chassis, service: str, move: Callable[[DeadQueue], Outcome]) -> DeadLettersMoved:
    with _own_letters(chassis, service) as queue:
        outcome = move(queue)
    return DeadLettersMoved(
        done=tuple(letter.id for letter in outcome.done),
        refused=tuple(RefusedLetter(id=letter.id, why=why) for letter, why in outcome.refused),
    )


@contextmanager
def _own_letters(chassis: Chassis, service: str) -> Iterator[DeadQueue]:
    settings = chassis.settings
    try:
        with (
            _ONE_AT_A_TIME,
            dead_queue(settings.amqp_uri, service, max_message_bytes=settings.max_message_bytes) as queue,
        ):
            yield queue
    except LOST:
        raise BrokerUnavailable("the broker was lost meanwhile; look at what is left, and try again") from None


def _selection(asked: ChosenDeadLetters) -> Selection:
    return Selection(frozenset(asked.ids), asked.cause, asked.failed_before, asked.failed_after)


def _behind(letters: list[DeadLetter], key: str | None) -> list[DeadLetter]:
    if key is None:
        return letters
    found = next((place for place, letter in enumerate(letters) if letter.key == key), None)
    if found is None:
        raise LettersMoved("somebody has moved dead letters meanwhile; look again")
    return letters[found + 1 :]


def _json(value: Any) -> Any:
    """A header's value; what JSON has no words for, as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _subject(letter: DeadLetter) -> UUID | None:
    """The message that was dropped, if it has an id."""
    try:
        return UUID(letter.id)
    except ValueError:
        return None
