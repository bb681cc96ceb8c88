"""An export as a page that reads plainly and prints well, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.commands.subject import ExportReason, Ground, Topic
from leeward.subject_access.languages import Language, Reader, translator
from leeward.subject_access.numbers import Item, Numbered
from leeward.subject_access.wording import ALWAYS_LEFT_OUT, BY_GROUND, HEADINGS, LeftOut

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


UNTRANSLATED = "<!-- untranslated -->"
TABLES = frozenset({Topic.STEPS, Topic.OFFERS, Topic.MESSAGES, Topic.RECORD, Topic.NOTICES})
"""Topics with many similar entries, which are shown as a table."""


@dataclass(frozen=True)
class Export:
    """Everything held about one person, and who gathered it when and why."""

    requests: Sequence[Numbered]
    made_at: datetime
    by: str
    reason: ExportReason
    charity: str
    telephone: str
    language: Language = Language.ENGLISH
    """Of the page; what is for machines is in English."""
    grounds: frozenset[Ground] = frozenset()
    """The grounds on which a person has left entries out."""


def as_json(export: Export) -> dict[str, Any]:
    """The page's content for programs; `exactly` is a value as it is stored."""
    return {
        "made_at": export.made_at.isoformat(),
        "made_by": export.by,
        "reason": export.reason.value,
        "requests": [
            {"reference": request.reference, "parts": [_topic_json(*found) for found in _by_topic(request)]}
            for request in export.requests
        ],
        "left_out": [asdict(entry) for entry in ALWAYS_LEFT_OUT],
        "left_out_by_a_person": [asdict(entry) for entry in _by_a_person(export)],
    }


def as_html(export: Export) -> str:
    says = translator(export.language)
    html = _PAGES.get_template("page.html").render(
        _=says,
        plain=says.plain,
        reader=Reader(says),
        export=export,
        requests=[(request.reference, _by_topic(request)) for request in export.requests],
        headings=HEADINGS,
        tables=TABLES,
        columns_of=_columns,
        left_out=ALWAYS_LEFT_OUT,
        left_out_by_a_person=_by_a_person(export),
    )
    return html.replace(UNTRANSLATED, says.notice())


def _by_a_person(export: Export) -> list[LeftOut]:
    """The grounds that were used, without how often, which would give away what was left out."""
    return [words for ground, words in BY_GROUND.items() if ground in export.grounds]


def _by_topic(request: Numbered) -> list[tuple[Topic, list[Item]]]:
    """The entries of each topic that has any, in their order; audit entries by time."""
    topics = []
    for topic, found in groupby(request.items, key=lambda item: item.topic):
        items = list(found)
        if topic is Topic.RECORD:
            items.sort(key=lambda item: item.entry.facts[0].exactly)
        topics.append((topic, items))
    return topics


def _topic_json(topic: Topic, items: list[Item]) -> dict[str, Any]:
    return {
        "topic": topic.value,
        "title": HEADINGS[topic].title,
        "about": HEADINGS[topic].about,
        "entries": [
            {
                "number": item.number,
                "held_by": item.service,
                "facts": [
                    {name: value for name, value in fact.to_json().items() if value} for fact in item.entry.facts
                ],
            }
            for item in items
        ],
    }


def _columns(items: list[Item]) -> list[str]:
    """The labels that occur in any entry, each once."""
    return list(dict.fromkeys(fact.what for item in items for fact in item.entry.facts))
