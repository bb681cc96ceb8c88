"""Requests that arrive evenly: whether a queue grows, and how many may arrive a second before one does."""

from __future__ import annotations

from dataclasses import dataclass

from bench.core.statistics import slope
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table
from bench.report.svg import Line, lines
from bench.sections.journey_rows import Depth

SHARES = (0.8, 0.65, 0.5, 0.4, 0.3)
"""Of a burst's rate, tried one after the other until no queue grows."""

GROWING_SHARE = 0.05
"""A queue that grows by more than a twentieth of the stream's rate is called growing."""

MOST_LINES = 7


@dataclass(frozen=True)
class Stream:
    """So many referrals a second, and the queue that grew most, by so many messages a second."""

    per_second: float
    queue: str
    growth: float

    @property
    def grows(self) -> bool:
        return self.growth > GROWING_SHARE * self.per_second

    @property
    def described(self) -> str:
        return f"{self.growth:+.1f}/s at most ({self.queue})"


def stream_of(depths: list[Depth]) -> Stream:
    """What one stream came to. Raises ValueError if nothing was seen of it."""
    growth = growth_of(depths)
    worst = max(growth, key=lambda queue: growth[queue])
    return Stream(depths[0].per_second, worst, growth[worst])


def growth_of(depths: list[Depth]) -> dict[str, float]:
    """Messages per second by which each queue grew in the second half of a stream."""
    half = max(one.second for one in depths) / 2
    later = [one for one in depths if one.second >= half]
    queues = dict.fromkeys(one.queue for one in later)
    return {queue: slope([(one.second, one.depth) for one in later if one.queue == queue]) for queue in queues}


def describe_streams(chapter: Chapter, depths: list[Depth]) -> None:
    """The target is held to the first stream, which is nearest to what a burst reaches."""
    rows = []
    for store in ("sqlite", "postgresql"):
        here = [one for one in depths if one.store == store]
        rates = sorted({one.per_second for one in here if one.per_second}, reverse=True)
        streams = [stream_of([one for one in here if one.per_second == rate]) for rate in rates]
        rows += [(STORE_NAMES[store], f"{one.per_second:.1f}", one.described) for one in streams]
        chapter.targets.append(_target(store, streams))
    chapter.add(INTRODUCTION)
    chapter.add(table(("store", "referrals/s", "what grew most"), rows))
    for store in ("sqlite", "postgresql"):
        _draw(chapter, store, [one for one in depths if one.store == store])


INTRODUCTION = f"""\
Steady arrivals cost more than a burst, because batches are small; services give way to each other once the processors
are not enough. So requests are also published evenly: first at
{SHARES[0] * 100:.0f} % of the rate that a burst reaches, then at less, until no queue grows by more than a twentieth
of the stream's rate."""


def _target(store: str, streams: list[Stream]) -> Target:
    label = f"No queue growing, {STORE_NAMES[store]}"
    if not streams:
        return not_measured(label, "none")
    first, last = streams[0], streams[-1]
    measured = f"{first.described} at {first.per_second:.0f} referrals/s"
    if first.grows and not last.grows:
        measured += f"; none at {last.per_second:.0f}"
    return Target(label, "none", measured, not first.grows)


def _draw(chapter: Chapter, store: str, depths: list[Depth]) -> None:
    """What waited in the first stream, and after a burst."""
    fastest = max((one.per_second for one in depths), default=0.0)
    for name, rate, what in (
        ("steady", fastest, f"at {fastest:.0f} referrals/s"),
        ("burst", 0.0, "after a burst"),
    ):
        drawn = _lines([one for one in depths if one.per_second == rate])
        if drawn:
            title = f"What waits {what}, {STORE_NAMES[store]}"
            chart = lines(title, "seconds", "messages, outbox rows, timers due", drawn)
            chapter.add_chart(f"journey-{name}-{store}", title, chart)


def _lines(depths: list[Depth]) -> list[Line]:
    """What ever waited, the most first, as many as can be told apart."""
    most: dict[str, int] = {}
    for one in depths:
        most[one.queue] = max(one.depth, most.get(one.queue, 0))
    queues = sorted((queue for queue in most if most[queue]), key=lambda queue: -most[queue])[:MOST_LINES]
    return [
        Line(queue, sorted((one.second, float(one.depth)) for one in depths if one.queue == queue)) for queue in queues
    ]
