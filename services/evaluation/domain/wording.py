"""The wording of an instrument in one language, from a file that the charity supplies, with the licence to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.evaluation.domain.instruments import Instrument


class InvalidWording(ValueError):
    """A wording file that doesn't fit its instrument; the message says in what."""


@dataclass(frozen=True)
class Wording:
    """What a respondent is shown. `items` are the questions by code, `choices` the answers by what they count for."""

    language: str
    title: str
    introduction: str
    licence: str
    items: Mapping[str, str]
    choices: Mapping[int, str]


def read_wording(data: Mapping[str, Any], instrument: Instrument) -> Wording:
    """A wording from a parsed file. Raises InvalidWording."""
    missing = [
        name for name in ("language", "title", "introduction", "licence", "items", "answers") if not data.get(name)
    ]
    if missing:
        raise InvalidWording(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    try:
        choices = {int(value): str(label) for value, label in data["answers"].items()}
        items = {str(code): str(text) for code, text in data["items"].items()}
    except (AttributeError, TypeError, ValueError):
        raise InvalidWording(
            "items and answers must be objects, and what an answer counts for a whole number"
        ) from None
    wording = Wording(
        language=str(data["language"]),
        title=str(data["title"]),
        introduction=str(data["introduction"]),
        licence=str(data["licence"]),
        items=items,
        choices=choices,
    )
    problem = _problem(wording, instrument)
    if problem:
        raise InvalidWording(problem)
    return wording


def _problem(wording: Wording, instrument: Instrument) -> str | None:
    codes = {item.code for item in instrument.items}
    if wording.items.keys() != codes:
        return f"these items are not those of {instrument.code}: {', '.join(sorted(wording.items.keys() ^ codes))}"
    if not all(text.strip() for text in (*wording.items.values(), *wording.choices.values())):
        return "an item or an answer has no words"
    for item in instrument.items:
        unnamed = set(range(item.lowest, item.highest + 1)) - wording.choices.keys()
        if unnamed:
            return f"the answers {', '.join(map(str, sorted(unnamed)))} to {item.code} have no words"
    return None
