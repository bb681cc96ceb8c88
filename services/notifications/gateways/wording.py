"""The wording of messages: plain-text Jinja2 templates, the subject on the first line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent.parent / "templates"
LONDON = ZoneInfo("Europe/London")
SUBJECT = "Subject: "


@dataclass(frozen=True)
class Text:
    subject: str
    body: str


def render(name: str, values: Mapping[str, Any]) -> Text:
    """Renders `templates/<name>.txt`. Raises jinja2's UndefinedError for a value that is missing."""
    head, _, body = _templates.get_template(f"{name}.txt").render(values).partition("\n")
    return Text(head.removeprefix(SUBJECT).strip(), body.strip() + "\n")


def _pounds(pence: int) -> str:
    return f"£{pence // 100:,}.{pence % 100:02}"


def _moment(text: str) -> str:
    """`Monday 23 November 2026 at 10:00`, in London."""
    at = datetime.fromisoformat(text).astimezone(LONDON)
    return f"{at:%A} {at.day} {at:%B %Y} at {at:%H:%M}"


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.day} {day:%B %Y}"


def _environment() -> Environment:
    # Nothing here is HTML: escaping would put &amp; into people's names.
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(pounds=_pounds, moment=_moment, day=_day)
    return environment


_templates = _environment()
