"""An export as a page that reads plainly and prints well, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis.telling import written
from contracts.commands.subject import Entry, ExportReason, Topic
from leeward.subject.gathering import Request
from leeward.subject.wording import ALWAYS_LEFT_OUT, HEADINGS

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


TABLES = frozenset({Topic.STEPS, Topic.OFFERS, Topic.MESSAGES, Topic.RECORD, Topic.NOTICES})
"""What is shown as a table: many entries that are alike."""


@dataclass(frozen=True)
class Export:
    """Everything held about one person, and who gathered it when and why."""

    requests: Sequence[Request]
    made_at: datetime
    by: str
    reason: ExportReason
    charity: str
    telephone: str


def as_json(export: Export) -> dict[str, Any]:
    """What the page says, for machines: `exactly` is how a value is stored."""
    return {
        "made_at": export.made_at.isoformat(),
        "made_by": export.by,
        "reason": export.reason.value,
        "requests": [
            {"reference": one.reference, "parts": [_topic_json(*found) for found in _by_topic(one)]}
            for one in export.requests
        ],
        "left_out": [asdict(one) for one in ALWAYS_LEFT_OUT],
    }


def as_html(export: Export) -> str:
    return _PAGES.get_template("page.html").render(
        export=export,
        requests=[(one.reference, _by_topic(one)) for one in export.requests],
        headings=HEADINGS,
        tables=TABLES,
        columns_of=_columns,
        left_out=ALWAYS_LEFT_OUT,
        written=written,
    )


def _by_topic(request: Request) -> list[tuple[Topic, list[tuple[str, Entry]]]]:
    """For each topic that something is held on: the entries, each with the service that holds it."""
    topics = []
    for topic, parts in groupby(request.parts, key=lambda part: part.section.topic):
        entries = [(part.service, entry) for part in parts for entry in part.section.entries]
        if topic is Topic.RECORD:
            entries.sort(key=lambda found: found[1].facts[0].exactly)
        topics.append((topic, entries))
    return topics


def _topic_json(topic: Topic, entries: list[tuple[str, Entry]]) -> dict[str, Any]:
    return {
        "topic": topic.value,
        "title": HEADINGS[topic].title,
        "about": HEADINGS[topic].about,
        "entries": [
            {
                "held_by": service,
                "facts": [{name: value for name, value in one.to_json().items() if value} for one in entry.facts],
            }
            for service, entry in entries
        ],
    }


def _columns(entries: list[tuple[str, Entry]]) -> list[str]:
    """What any entry tells, each once."""
    return list(dict.fromkeys(fact.what for _, entry in entries for fact in entry.facts))
