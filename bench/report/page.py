"""docs/benchmarks.md: everything that is kept, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.core.results import Results
from bench.report.chapter import Chapter, table
from bench.sections.all import SECTIONS

HEAD = """\
# Measured beside the others

Made by `make bench` (or `leeward bench`), which measures everything on one machine and in turns: what matters is how
the figures stand to each other. Raw rounds lie as CSV in [`benchmarks/`](benchmarks). To do it again needs only
`make bench`, some twenty-five minutes alone on two cores; `BENCH="--only …"` measures some sections and keeps the rest.
"""


def write_page(folder: Path, results: Results) -> None:
    """Writes the page and its charts. A section that was never measured says so."""
    chapters = {name: section.chapter(results) for name, section in SECTIONS.items()}
    results.folder.mkdir(parents=True, exist_ok=True)
    for chapter in chapters.values():
        for name, svg in chapter.charts.items():
            (results.folder / name).write_text(svg, encoding="utf-8")
    parts = [HEAD, _targets(list(chapters.values())), _machine(results)]
    parts += [_chapter(chapter, results.load_note(name), name) for name, chapter in chapters.items()]
    text = "\n\n".join(part.strip() for part in parts) + "\n"
    (folder / "benchmarks.md").write_text(text, encoding="utf-8")


def _targets(chapters: list[Chapter]) -> str:
    verdicts = {True: "met", False: "**not met**", None: "–"}
    rows = [
        (target.figure, target.target, target.measured, verdicts[target.met])
        for chapter in chapters
        for target in chapter.targets
    ]
    return "## What was promised\n\n" + table(("figure", "target", "measured", ""), rows, left=4)


def _chapter(chapter: Chapter, note: dict[str, Any], name: str) -> str:
    if not note:
        return f"## {chapter.title}\n\nNot measured yet: `python -m bench run --only {name}`."
    parts = [f"## {chapter.title}", *chapter.paragraphs]
    if note["problems"]:
        parts.append("What went wrong while measuring:\n\n" + "\n".join(f"* {one}" for one in note["problems"]))
    parts.append(f"Measured {note['measured_at']}, in {note['seconds']} s: [{name}.csv](benchmarks/{name}.csv).")
    return "\n\n".join(parts)


def _machine(results: Results) -> str:
    """The machine of the newest measurement, and a word if others were made on another."""
    notes = [note for note in map(results.load_note, SECTIONS) if note]
    if not notes:
        return ""
    newest = max(notes, key=lambda note: note["measured_at"])["machine"]
    rows = [(name, _value(value)) for name, value in newest.items()]
    parts = ["## The machine", table(("", ""), rows, left=2)]
    same = ("cpu", "cores", "rabbitmq", "postgresql", "python")
    if any(note["machine"][key] != newest[key] for note in notes for key in same):
        parts.append("Not all sections were measured on this machine; the notes in `benchmarks/*.json` say which was.")
    return "\n\n".join(parts)


def _value(value: Any) -> str:
    return ", ".join(f"{name} {one}" for name, one in value.items()) if isinstance(value, dict) else str(value)
