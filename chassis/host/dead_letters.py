"""The commands on a service's dead letters. The service carries them out itself, because no other broker user may."""

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
from chassis.bus.dead_letters import DeadLetter, DeadQueue, MoveResult, Selection, dead_queue, replaying, too_old
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
"""Because of two that read the queue at once, each would find only the letters that the other hasn't taken."""


class BrokerUnavailable(Refused):
    """The dead letters can't be reached just now."""


class LettersMoved(Refused):
    """The letter that a page ended with is gone, so the next page's beginning is unknown."""


Describe = Callable[[DeadLetter], dict[str, Any]]
"""Returns a letter as JSON: without its content, redacted, or whole."""


def look(chassis: Chassis, service: str, asked: LookAtDeadLetters, describe: Describe) -> DeadLettersPage:
    """A page of the selected letters. Raises LettersMoved and BrokerUnavailable."""
    wanted = _selection(asked)
    with _own_letters(chassis, service) as queue:
        letters = queue.letters()
        saw_all = queue.saw_all
    page: list[dict[str, Any]] = []
    size, last = 0, None
    for letter in filter(wanted, _letters_after(letters, asked.after)):
        described = describe(letter)
        size += len(orjson.dumps(described))
        if page and size > PAGE_BYTES:
            return DeadLettersPage(page, last, saw_all)
        page.append(described)
        last = letter.key
    return DeadLettersPage(page, None, saw_all)


def shown(letter: DeadLetter) -> dict[str, Any]:
    """A letter with its headers and its body, for a person to read: sealed fields stay sealed."""
    headers = {name: str(value) for name, value in letter.headers.items()}
    body = WITHHELD if letter.message.defect else body_for_people(letter.publisher, letter.event, letter.message.body)
    return {**letter.summary(), "headers": headers, "body": body}


def exported(letter: DeadLetter) -> dict[str, Any]:
    """A letter with its headers and its body byte for byte, sealed fields included. The body is None if it was too
    large to be read."""
    message = letter.message
    body = None if message.defect else base64.b64encode(message.body).decode()
    headers = {name: _json(value) for name, value in letter.headers.items()}
    content_type = _json(message.content_type)
    return {**letter.summary(), "headers": headers, "content_type": content_type, "body_base64": body}


def replay(
    chassis: Chassis, service: str, asked: ReplayDeadLetters, business_keys: Mapping[tuple[str, str], str]
) -> DeadLettersMoved:
    """Publishes the selected letters to their lanes again; refuses those that the inbox may have forgotten."""
    now, retention = chassis.clock.now(), timedelta(days=chassis.settings.inbox_retention_days)
    selection = _selection(asked)

    def refusal(letter: DeadLetter) -> str | None:
        is_safe = (letter.publisher, letter.event) in business_keys
        return too_old(letter, now=now, retention=retention, is_safe=is_safe)

    def put_back(queue: DeadQueue) -> MoveResult:
        with replaying(chassis.settings.amqp_uri, service) as publisher:
            return queue.replay(selection, refusal, publisher)

    return _moved(chassis, service, put_back)


def discard(chassis: Chassis, service: str, asked: DiscardDeadLetters, *, by: str) -> DeadLettersMoved:
    """Drops the letters of these ids, and records each in the audit log."""

    def record(letter: DeadLetter) -> None:
        with chassis.unit() as unit:
            unit.record_audit(AuditAction.DISCARDED, who=by, subject_id=_subject(letter), reason=CODE)

    return _moved(chassis, service, lambda queue: queue.discard(Selection(frozenset(asked.ids)), record))


def _moved(chassis: Chassis, service: str, move: Callable[[DeadQueue], MoveResult]) -> DeadLettersMoved:
    with _own_letters(chassis, service) as queue:
        result = move(queue)
    return DeadLettersMoved(
        done=tuple(letter.id for letter in result.done),
        refused=tuple(RefusedLetter(id=letter.id, why=why) for letter, why in result.refused),
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


def _letters_after(letters: list[DeadLetter], key: str | None) -> list[DeadLetter]:
    if key is None:
        return letters
    found = next((index for index, letter in enumerate(letters) if letter.key == key), None)
    if found is None:
        raise LettersMoved("somebody has moved dead letters meanwhile; look again")
    return letters[found + 1 :]


def _json(value: Any) -> Any:
    """A header's value; as text, if JSON has no such type."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _subject(letter: DeadLetter) -> UUID | None:
    """The letter's id, if it is a UUID."""
    try:
        return UUID(letter.id)
    except ValueError:
        return None
