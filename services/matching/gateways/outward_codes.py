"""Where each outward code is, read from the table that `scripts/derive_places.py` derives."""

import csv
from functools import cached_property
from pathlib import Path

from services.matching.domain.locations import Point

OUTWARD_CODES = Path(__file__).parent.parent / "data" / "outward_codes.csv"


class OutwardCodes:
    """The centre of every outward code of the United Kingdom, past and present, that has one.

    Those of Jersey, Guernsey and the Isle of Man have none in the source, nor have about twenty small ones.
    """

    def __init__(self, table: Path = OUTWARD_CODES) -> None:
        """Reads the whole table: about 3,000 points, under 1 MB."""
        with table.open(encoding="utf-8", newline="") as file:
            self._points = {
                row["outward_code"]: Point(latitude=float(row["latitude"]), longitude=float(row["longitude"]))
                for row in csv.DictReader(file)
            }

    @cached_property
    def outline(self) -> tuple[tuple[float, float], ...]:
        """Where in the country people live, to a tenth of a degree: latitudes and longitudes, each once."""
        return tuple(sorted({(round(one.latitude, 1), round(one.longitude, 1)) for one in self._points.values()}))

    def locate(self, outward_code: str) -> Point | None:
        """The centre of an outward code as intake publishes it (`NP20`), or None where it isn't known."""
        return self._points.get(outward_code)
