"""Gives each entry of an export a number, by which a person can refer to it.

The number is a hash of the entry's content, not its position. So it is the same in every export while the content is
the same; when the content changes the number disappears, and is not given to another entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from contracts.commands.subject import Entry, Fact, Topic
from leeward.subject_access.gathering import Part, Request

ONE_FACT_PER_ENTRY = frozenset({Topic.ANSWERS, Topic.ASSESSMENT})
"""Topics in which each fact is numbered by itself: answers to different questions, aspects of an assessment."""

LOWEST, HOW_MANY = 100_000, 900_000
"""Numbers have six digits."""


@dataclass(frozen=True)
class Item:
    """An entry as an export shows it. `place`: its position among its service's entries on this topic, from 1."""

    number: str
    service: str
    topic: Topic
    place: int
    entry: Entry


@dataclass(frozen=True)
class Numbered:
    """One of the person's requests with everything held about it, numbered."""

    referral_id: str
    reference: str
    items: tuple[Item, ...]

    def without(self, numbers: Iterable[str]) -> Numbered:
        left_out = frozenset(numbers)
        return replace(self, items=tuple(item for item in self.items if item.number not in left_out))


def numbered(requests: Iterable[Request]) -> list[Numbered]:
    """The requests with a number for each entry, unique in the export."""
    given: set[str] = set()
    return [Numbered(request.referral_id, request.reference, tuple(_items(request, given))) for request in requests]


def _items(request: Request, given: set[str]) -> Iterator[Item]:
    for part in request.parts:
        topic = part.section.topic
        for place, entry in enumerate(_entries(part), start=1):
            number = _number(request.reference, part, entry, given)
            yield Item(number, part.service, topic, place, entry)


def _entries(part: Part) -> Iterator[Entry]:
    for entry in part.section.entries:
        if part.section.topic in ONE_FACT_PER_ENTRY:
            yield from (Entry(facts=(fact,)) for fact in entry.facts)
        else:
            yield entry


def _number(reference: str, part: Part, entry: Entry, given: set[str]) -> str:
    """A hash of the entry's content as six digits; the next hash if that is given already, as for equal entries."""
    content = [reference, part.service, part.section.topic.value, sorted(_stored(fact) for fact in entry.facts)]
    digests = (hashlib.sha256(json.dumps([attempt, *content]).encode()).digest() for attempt in count())
    numbers = (str(LOWEST + int.from_bytes(digest) % HOW_MANY) for digest in digests)
    number = next(candidate for candidate in numbers if candidate not in given)
    given.add(number)
    return number


def _stored(fact: Fact) -> tuple[str, tuple[str, ...]]:
    """A fact as it is stored, independent of wording and language."""
    return fact.asked or fact.what, fact.exactly or (fact.value,)
