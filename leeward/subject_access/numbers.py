"""A number for each entry of an export, by which a person says which one they mean.

It is made from what the entry tells and not from where it stands: so it is the same in every export, whatever comes
before it, until the entry tells something else, and then it is gone and never means another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from contracts.commands.subject import Entry, Fact, Topic
from leeward.subject_access.gathering import Part, Request

APART = frozenset({Topic.ANSWERS, Topic.ASSESSMENT})
"""Where each fact is an entry by itself: answers to different questions, aspects of an assessment."""

LOWEST, HOW_MANY = 100_000, 900_000
"""Six digits."""


@dataclass(frozen=True)
class Item:
    """An entry as an export shows it. `place`: where it stands among its service's on this topic, from 1."""

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
    """No number is given twice in an export."""
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
        if part.section.topic in APART:
            yield from (Entry(facts=(fact,)) for fact in entry.facts)
        else:
            yield entry


def _number(reference: str, part: Part, entry: Entry, given: set[str]) -> str:
    """The first that is free, of those that follow from what the entry tells: two that tell the same have two."""
    told = [reference, part.service, part.section.topic.value, sorted(_stored(fact) for fact in entry.facts)]
    digests = (hashlib.sha256(json.dumps([attempt, *told]).encode()).digest() for attempt in count())
    numbers = (str(LOWEST + int.from_bytes(digest) % HOW_MANY) for digest in digests)
    number = next(candidate for candidate in numbers if candidate not in given)
    given.add(number)
    return number


def _stored(fact: Fact) -> tuple[str, tuple[str, ...]]:
    """A fact as it is held, whichever words and language it is told in."""
    return fact.asked or fact.what, fact.exactly or (fact.value,)
