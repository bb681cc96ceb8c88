"""What a section says in the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.core.statistics import Spread
from bench.report.svg import figure


@dataclass(frozen=True)
class Target:
    """A figure that was promised, and what came of it. `met` is None where it was not measured."""

    figure: str
    target: str
    measured: str
    met: bool | None


@dataclass
class Chapter:
    """Text in Markdown, charts by file name, and the targets that it speaks to."""

    title: str
    paragraphs: list[str] = field(default_factory=list)
    charts: dict[str, str] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.paragraphs.append(text)

    def add_chart(self, name: str, title: str, svg: str) -> None:
        self.charts[f"{name}.svg"] = svg
        self.add(f"![{title}](benchmarks/{name}.svg)")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A Markdown table; all but the first `left` columns are numbers."""
    rule = ["---"] * left + ["---:"] * (len(headings) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in (headings, rule, *rows))


def spread(values: Sequence[float]) -> str:
    """`median (lowest–highest)`, or a dash for no values."""
    if not values:
        return "–"
    one = Spread.of(values)
    if one.rounds == 1:
        return figure(one.median)
    return f"{figure(one.median)} ({figure(one.lowest)}–{figure(one.highest)})"


STORE_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "": "–"}


def not_measured(figure_: str, target: str) -> Target:
    return Target(figure_, target, "not measured", None)
