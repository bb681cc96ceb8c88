"""A map of the UK beside candidates: where people live, the client, and the therapists. The table says the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, radians

from contracts.commands.matching import CandidatesExplained, ConsideredTherapist, Position

NORTH, WEST = 61.0, -8.4
"""Where the map begins, in degrees."""

SCALE = 10.0
"""Units of the drawing for a degree of latitude."""

NARROWING = cos(radians(55))
"""How much narrower a degree of longitude is than one of latitude, in the middle of the UK."""

WIDTH, HEIGHT = round((2.2 - WEST) * NARROWING * SCALE), round((NORTH - 49.0) * SCALE)


@dataclass(frozen=True)
class Mark:
    """A therapist, or several of one outward code: the best rank among them, and how they are called."""

    x: float
    y: float
    rank: int | None
    title: str


@dataclass(frozen=True)
class UkMap:
    """`ground` is a path of dots; `client` is where they are, if that is known to an outward code."""

    width: int
    height: int
    ground: str
    marks: tuple[Mark, ...]
    client: tuple[float, float] | None


def ground_of(positions: Iterable[Position]) -> str:
    """A path that is one dot for each position."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in map(_spot, positions))


def map_of(explained: CandidatesExplained, ground: str) -> UkMap:
    at: dict[tuple[float, float], list[ConsideredTherapist]] = {}
    for one in explained.considered:
        if one.at is not None:
            at.setdefault(_spot(one.at), []).append(one)
    marks = [_mark(spot, found) for spot, found in at.items()]
    return UkMap(
        width=WIDTH,
        height=HEIGHT,
        ground=ground,
        marks=tuple(sorted(marks, key=lambda mark: -(mark.rank or 1_000))),  # the best are drawn last, on top
        client=_spot(explained.client_at) if explained.client_at else None,
    )


def _mark(spot: tuple[float, float], found: list[ConsideredTherapist]) -> Mark:
    ranks = [one.rank for one in found if one.rank is not None]
    code = found[0].therapist.outward_code
    told = ", ".join(f"rank {rank}" for rank in ranks) or "not asked"
    return Mark(*spot, min(ranks, default=None), f"{code}: {told}")


def _spot(position: Position) -> tuple[float, float]:
    return (
        round((position.longitude - WEST) * NARROWING * SCALE, 1),
        round((NORTH - position.latitude) * SCALE, 1),
    )
