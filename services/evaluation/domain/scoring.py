"""Scoring a form by its instrument's published rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.evaluation.domain.instruments import Instrument, Item

DECIMALS = 2
"""Of a prorated total; a complete form's is whole."""


class MalformedForm(ValueError):
    """The answers are not answers to this instrument. The message names the item, never the answer."""


class UnknownItem(MalformedForm):
    """The instrument has no such item."""


class AnsweredTwice(MalformedForm):
    """One item has two answers."""


class OutOfRange(MalformedForm):
    """An answer is none of those that can be chosen."""


@dataclass(frozen=True)
class Scored:
    """`score` is None when too many items were left blank. `risks` are the items that ask for a person's attention."""

    score: float | None
    missing: int
    risks: tuple[str, ...]


def score(instrument: Instrument, answers: Iterable[tuple[str, int]]) -> Scored:
    """Adds up the answers, by item code; items left blank are made up for by the mean of the others, where allowed.

    Raises MalformedForm.
    """
    given = _checked(instrument, answers)
    missing = len(instrument.items) - len(given)
    risks = tuple(item.code for item, answer in given if item.risk_from is not None and answer >= item.risk_from)
    if missing > instrument.missing_allowed:
        return Scored(None, missing, risks)
    total = sum(_points(item, answer) for item, answer in given)
    return Scored(round(total * len(instrument.items) / len(given), DECIMALS), missing, risks)


def _checked(instrument: Instrument, answers: Iterable[tuple[str, int]]) -> list[tuple[Item, int]]:
    items = {item.code: item for item in instrument.items}
    given: dict[str, int] = {}
    for code, answer in answers:
        if code not in items:
            raise UnknownItem(f"{instrument.code} has no such item")
        if code in given:
            raise AnsweredTwice(f"{code} is answered twice")
        if not items[code].lowest <= answer <= items[code].highest:
            raise OutOfRange(f"the answer to {code} is out of range")
        given[code] = answer
    return [(items[code], answer) for code, answer in given.items()]


def _points(item: Item, answer: int) -> int:
    return item.lowest + item.highest - answer if item.reversed else answer
