"""Where measurements are kept between runs: a CSV of raw rounds per section, and a note of when and on what it ran."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

RowT = TypeVar("RowT")
READ: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str, "bool": lambda text: text == "True"}


@dataclass(frozen=True)
class Results:
    """A folder of measurements."""

    folder: Path

    def save(self, name: str, rows: Sequence[Any]) -> None:
        """Keeps these rows (dataclasses of one kind) under a name, in place of what was kept there."""
        if not rows:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(field.name for field in dataclasses.fields(rows[0]))
            writer.writerows([_written(value) for value in dataclasses.astuple(row)] for row in rows)

    def load(self, name: str, kind: type[RowT]) -> list[RowT]:
        """What is kept under a name; nothing, if it was never measured."""
        path = self.folder / f"{name}.csv"
        if not path.exists():
            return []
        types = {field: getattr(hint, "__name__", "str") for field, hint in get_type_hints(kind).items()}
        with path.open(newline="", encoding="utf-8") as file:
            return [
                kind(**{name: READ[types[name]](text) for name, text in row.items() if name in types})
                for row in csv.DictReader(file)
            ]

    def save_note(self, section: str, note: dict[str, Any]) -> None:
        """When a section ran, on what, and what failed in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(note, indent=2, ensure_ascii=False)
        (self.folder / f"{section}.json").write_text(text + "\n", encoding="utf-8")

    def load_note(self, section: str) -> dict[str, Any]:
        path = self.folder / f"{section}.json"
        if not path.exists():
            return {}
        note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return note


def _written(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value
