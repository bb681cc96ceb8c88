"""Where the demonstration's invented people live.

The places are real, so that intake finds their areas and matching their distances; who lives there is invented.
`data/places.csv` is derived by `scripts/derive_demo_places.py` from the ONS Postcode Directory (Open Government Licence
v3.0; contains OS data, Royal Mail data and National Statistics data (c) Crown copyright and database right).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random

TABLE = Path(__file__).parent / "data" / "places.csv"

GWENT = frozenset({"W06000018", "W06000019", "W06000020", "W06000021", "W06000022"})
"""Caerphilly, Blaenau Gwent, Torfaen, Monmouthshire and Newport."""

SOUTH_WALES = frozenset({"W06000011", "W06000012", "W06000013", "W06000014", "W06000015", "W06000016", "W06000024"})
"""Swansea, Neath Port Talbot, Bridgend, the Vale of Glamorgan, Cardiff, Rhondda Cynon Taf and Merthyr Tydfil."""


class Region(Enum):
    """Where to pick a place from."""

    UNITED_KINGDOM = "united_kingdom"
    GWENT = "gwent"
    SOUTH_WALES = "south_wales"
    ELSEWHERE = "elsewhere"
    """The United Kingdom without Gwent."""


@dataclass(frozen=True)
class Place:
    """The part of an outward code that lies in one local authority.

    `weight` stands for how many people live there, `inward_codes` are those of a few of its postcodes.
    """

    outward_code: str
    local_authority: str
    weight: int
    inward_codes: tuple[str, ...]

    @property
    def is_in_wales(self) -> bool:
        return self.local_authority.startswith("W")


def pick_place(rng: Random, region: Region = Region.UNITED_KINGDOM) -> Place:
    """A place, the likelier the more people live there."""
    places, cumulative_weights = _of_region(region)
    return rng.choices(places, cum_weights=cumulative_weights)[0]


def pick_postcode(rng: Random, place: Place) -> str:
    """A full postcode of the place, like `NP20 4UR`."""
    return f"{place.outward_code} {rng.choice(place.inward_codes)}"


@cache
def all_places() -> tuple[Place, ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Place(
                outward_code=row["outward_code"],
                local_authority=row["local_authority"],
                weight=int(row["weight"]),
                inward_codes=tuple(row["inward_codes"].split()),
            )
            for row in csv.DictReader(file)
        )


def is_within(place: Place, region: Region) -> bool:
    match region:
        case Region.GWENT:
            return place.local_authority in GWENT
        case Region.SOUTH_WALES:
            return place.local_authority in SOUTH_WALES
        case Region.ELSEWHERE:
            return place.local_authority not in GWENT
        case Region.UNITED_KINGDOM:
            return True


@cache
def _of_region(region: Region) -> tuple[list[Place], list[int]]:
    places = [place for place in all_places() if is_within(place, region)]
    return places, list(accumulate(place.weight for place in places))
