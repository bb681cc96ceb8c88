"""Helplines, read from a file with the source of each, and shown depending on form and language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import contracts

HELPLINES = Path(contracts.__file__).parent / "policy" / "helplines-v1.toml"
EMERGENCY, TALK = "emergency", "talk"
_KEYS = frozenset({"when", "text", "number", "panel", "routes", "but_not", "languages", "cy", "source", "checked"})
_NUMBER = re.compile(r"\+?[0-9 ()-]{3,20}")


class InvalidHelplines(Exception):
    """A file of helplines needs attention; the message says which line and what to do."""


@dataclass(frozen=True)
class Helpline:
    """A line that can be called. `checked` is when a person saw the number at its source; None if nobody has."""

    when: str
    text: str
    number: str
    panel: str
    source: str
    routes: frozenset[str] = frozenset()
    but_not: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    own_words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    checked: date | None = None

    def is_for(self, *, route: str, language: str) -> bool:
        """`route` is the name of the form that somebody fills in; empty where they fill in none."""
        if self.languages and language not in self.languages:
            return False
        return route not in self.but_not and (not self.routes or not route or route in self.routes)

    @property
    def dialled(self) -> str:
        return dialled(self.number)


def dialled(telephone: str) -> str:
    """What a tap on a number dials."""
    return re.sub(r"[^0-9+]", "", telephone)


def read_helplines(path: Path = HELPLINES) -> tuple[Helpline, ...]:
    """Raises InvalidHelplines."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(_line(line) for line in content["line"])
    except OSError as error:
        raise InvalidHelplines(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidHelplines(f"{path}: {error}") from None


def _line(content: Mapping[str, Any]) -> Helpline:
    name = content.get("text", "?")
    if unknown := set(content) - _KEYS:
        raise ValueError(f"the line {name!r} says {sorted(unknown)}, which no line can")
    for key in ("when", "text", "number", "panel", "source"):
        if not isinstance(content.get(key), str) or not content[key].strip():
            raise ValueError(f"the line {name!r} doesn't say its {key}")
    if content["panel"] not in (EMERGENCY, TALK):
        raise ValueError(f"the line {name!r} is for the panel {content['panel']!r}; choose {EMERGENCY} or {TALK}")
    if "%(number)s" not in content["text"] or not _NUMBER.fullmatch(content["number"]):
        raise ValueError(f"the line {name!r} needs %(number)s in its text, and a number of digits")
    checked = content.get("checked")
    if checked is not None and not isinstance(checked, date):
        raise ValueError(
            f"the line {name!r} has a date that is none; write it like 2026-11-30, without quotation marks"
        )
    named: dict[str, Any] = {key: content[key] for key in ("when", "text", "number", "panel", "source")}
    named |= {key: frozenset(content.get(key, ())) for key in ("routes", "but_not", "languages")}
    own_words = {"cy": content["cy"]} if "cy" in content else {}
    return Helpline(**named, own_words=own_words, checked=checked)
