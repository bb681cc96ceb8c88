"""What turns templates into pages, and writes times as people read them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from contracts.london import LONDON
from web.shared.languages import Translator
from web.shared.texts import MONTHS, WEEKDAYS

SHARED = Path(__file__).parent / "templates"


def environment(*folders: Path) -> Environment:
    """An environment that finds a template in the first of these folders that has it."""
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def moment(at: datetime, translator: Translator) -> str:
    """A time in London as text: `17:00, Friday 27 November 2026`."""
    there = at.astimezone(LONDON)
    month = translator.plain(MONTHS[there.month - 1])
    day = translator.plain(WEEKDAYS[there.weekday()])
    return f"{there:%H:%M}, {day} {there.day} {month} {there.year}"


def day(on: date, translator: Translator) -> str:
    return f"{on.day} {translator.plain(MONTHS[on.month - 1])} {on.year}"
