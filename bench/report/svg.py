"""Charts as SVG, drawn by hand so that they need no library and read well as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
OURS, THEIRS, BOUND = "#1d6f6d", "#9aa5b1", "#d9a441"
LINES = ("#1d6f6d", "#c05621", "#4c51bf", "#b83280", "#718096", "#2f855a", "#975a16")
FONT = "font-family='system-ui, sans-serif'"


@dataclass(frozen=True)
class Bar:
    """One bar, with the range it varied in."""

    label: str
    value: float
    lowest: float
    highest: float
    colour: str = THEIRS


@dataclass(frozen=True)
class Line:
    """One line of a line chart."""

    label: str
    points: Sequence[tuple[float, float]]


WIDTH, LABELS, MARGIN, BAR_HEIGHT, GAP, HEAD = 760, 215, 90, 20, 9, 44


def bars(title: str, unit: str, entries: Sequence[Bar]) -> str:
    """Horizontal bars from zero; the thin line through a bar's end is the range over the rounds."""
    height = HEAD + len(entries) * (BAR_HEIGHT + GAP) + 12
    room = WIDTH - LABELS - MARGIN
    top = max((bar.highest for bar in entries), default=1) or 1
    parts = [_text(0, 18, title, size=15, weight="600"), _text(0, 34, f"{unit}; the line is the range", colour=MUTED)]
    for place, bar in enumerate(entries):
        y = HEAD + place * (BAR_HEIGHT + GAP)
        length, low, high = (room * value / top for value in (bar.value, bar.lowest, bar.highest))
        middle = y + BAR_HEIGHT / 2
        parts += [
            _text(LABELS - 8, y + 14, bar.label, anchor="end"),
            f"<rect x='{LABELS}' y='{y}' width='{length:.1f}' height='{BAR_HEIGHT}' rx='2' fill='{bar.colour}'/>",
            _stroke([(LABELS + low, middle), (LABELS + high, middle)], INK, 1.2),
            _text(LABELS + max(length, high) + 7, y + 14, figure(bar.value)),
        ]
    return _svg(WIDTH, height, title, parts)


PLOT_LEFT, PLOT_TOP, PLOT_WIDTH, PLOT_HEIGHT = 66, 48, 520, 200


def lines(title: str, x_unit: str, y_unit: str, entries: Sequence[Line]) -> str:
    """Lines over a common x, both axes from zero."""
    points = [point for line in entries for point in line.points]
    top_x = max((x for x, _ in points), default=1) or 1
    top_y = max((y for _, y in points), default=1) or 1
    parts = [_text(0, 18, title, size=15, weight="600"), _text(0, 36, y_unit, colour=MUTED)]
    parts += _grid(top_x, top_y, x_unit)
    for place, line in enumerate(entries):
        colour = LINES[place % len(LINES)]
        scaled = [
            (PLOT_LEFT + PLOT_WIDTH * x / top_x, PLOT_TOP + PLOT_HEIGHT * (1 - y / top_y)) for x, y in line.points
        ]
        y = PLOT_TOP + 12 + place * 20
        parts.append(_stroke(scaled, colour, 1.8))
        parts.append(f"<rect x='{PLOT_LEFT + PLOT_WIDTH + 14}' y='{y - 9}' width='12' height='4' fill='{colour}'/>")
        parts.append(_text(PLOT_LEFT + PLOT_WIDTH + 32, y - 2, line.label))
    return _svg(WIDTH, PLOT_TOP + PLOT_HEIGHT + 40, title, parts)


def figure(value: float) -> str:
    """A number with three significant digits, or whole thousands."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _grid(top_x: float, top_y: float, x_unit: str) -> list[str]:
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = PLOT_LEFT + PLOT_WIDTH * share, PLOT_TOP + PLOT_HEIGHT * (1 - share)
        parts.append(_stroke([(PLOT_LEFT, y), (PLOT_LEFT + PLOT_WIDTH, y)], GRID, 1))
        parts.append(_text(PLOT_LEFT - 8, y + 4, figure(top_y * share) if share else "0", anchor="end", colour=MUTED))
        label = figure(top_x * share) if share else "0"
        parts.append(_text(x, PLOT_TOP + PLOT_HEIGHT + 18, label, anchor="middle", colour=MUTED))
    middle = PLOT_LEFT + PLOT_WIDTH / 2
    parts.append(_text(middle, PLOT_TOP + PLOT_HEIGHT + 35, x_unit, anchor="middle", colour=MUTED))
    return parts


def _stroke(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='{width}'/>"


def _text(
    x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", colour: str = INK, weight: str = "400"
) -> str:
    place = f"x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'"
    return f"<text {place} font-size='{size}' font-weight='{weight}' fill='{colour}' {FONT}>{escape(text)}</text>"


def _svg(width: int, height: float, title: str, parts: Sequence[str]) -> str:
    frame = f"viewBox='-10 0 {width + 20} {height:.0f}' width='{width + 20}' height='{height:.0f}'"
    background = f"<rect x='-10' y='0' width='{width + 20}' height='{height:.0f}' fill='#ffffff'/>"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' {frame} role='img' aria-label='{escape(title)}'>"
    return "\n".join((head, background, *parts, "</svg>")) + "\n"
