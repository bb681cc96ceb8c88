"""The hand-written table of each local authority's police force area."""

import csv
import re
from collections import Counter, defaultdict

import brotli  # type: ignore[import-untyped]
import msgpack  # type: ignore[import-untyped]
import pytest

from services.intake.gateways.postcodes import POLICE_FORCE_AREAS, installed_folder

AUTHORITIES_OF_EACH_FORCE = {
    "avon_and_somerset": 5,
    "bedfordshire": 3,
    "cambridgeshire": 6,
    "cheshire": 4,
    "city_of_london": 1,
    "cleveland": 4,
    "cumbria": 2,
    "derbyshire": 9,
    "devon_and_cornwall": 12,
    "dorset": 2,
    "durham": 2,
    "dyfed_powys": 4,
    "essex": 14,
    "gloucestershire": 6,
    "greater_manchester": 10,
    "gwent": 5,
    "hampshire_and_isle_of_wight": 14,
    "hertfordshire": 10,
    "humberside": 4,
    "kent": 13,
    "lancashire": 14,
    "leicestershire": 9,
    "lincolnshire": 7,
    "merseyside": 5,
    "metropolitan": 32,
    "norfolk": 7,
    "north_wales": 6,
    "north_yorkshire": 2,
    "northamptonshire": 2,
    "northern_ireland": 11,
    "northumbria": 6,
    "nottinghamshire": 8,
    "scotland": 32,
    "south_wales": 7,
    "south_yorkshire": 4,
    "staffordshire": 9,
    "suffolk": 5,
    "surrey": 11,
    "sussex": 13,
    "thames_valley": 13,
    "warwickshire": 5,
    "west_mercia": 9,
    "west_midlands": 7,
    "west_yorkshire": 5,
    "wiltshire": 2,
}
"""Councils in each force's area in 2025, counted from the forces' own descriptions of what they police."""


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with POLICE_FORCE_AREAS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def force_of(rows: list[dict[str, str]]) -> dict[str, str]:
    """The police force area of each local authority, by name."""
    return {row["local_authority"]: row["police_force_area"] for row in rows}


def codes_of_the_postcode_directory() -> set[str]:
    """The local authority codes of every postcode that has one; NaN and the Crown Dependencies' codes are none."""
    codes: set[object] = set()
    for file in installed_folder().glob("postcodes_?.msgpack.br"):
        codes.update(msgpack.unpackb(brotli.decompress(file.read_bytes()))["data"]["laua"])
    return {code for code in codes if isinstance(code, str) and code[0] in "ENSW"}


def test_every_local_authority_of_the_postcode_directory_is_mapped_and_no_other(rows: list[dict[str, str]]) -> None:
    assert {row["local_authority_code"] for row in rows} == codes_of_the_postcode_directory()


def test_no_authority_is_mapped_twice(rows: list[dict[str, str]]) -> None:
    codes = [row["local_authority_code"] for row in rows]
    assert len(codes) == len(set(codes)) == len({row["local_authority"] for row in rows}) == 361
    assert codes == sorted(codes)


def test_each_kind_of_authority_is_complete(rows: list[dict[str, str]]) -> None:
    kinds = Counter(row["local_authority_code"][:3] for row in rows)
    assert kinds == {"E06": 63, "E07": 164, "E08": 36, "E09": 33, "W06": 22, "S12": 32, "N09": 11}


def test_there_are_43_forces_in_england_and_wales_and_one_each_in_scotland_and_northern_ireland(
    rows: list[dict[str, str]],
) -> None:
    forces = defaultdict(set)
    for row in rows:
        forces[row["local_authority_code"][0]].add(row["police_force_area"])
    assert {nation: len(named) for nation, named in forces.items()} == {"E": 39, "W": 4, "S": 1, "N": 1}
    assert len(set.union(*forces.values())) == 45


def test_each_force_polices_as_many_authorities_as_it_says(rows: list[dict[str, str]]) -> None:
    assert Counter(row["police_force_area"] for row in rows) == AUTHORITIES_OF_EACH_FORCE


def test_gwent_is_its_five_authorities(rows: list[dict[str, str]]) -> None:
    gwent = {row["local_authority_code"]: row["local_authority"] for row in rows if row["police_force_area"] == "gwent"}
    assert gwent == {
        "W06000018": "Caerphilly",
        "W06000019": "Blaenau Gwent",
        "W06000020": "Torfaen",
        "W06000021": "Monmouthshire",
        "W06000022": "Newport",
    }


@pytest.mark.parametrize(
    ("authority", "force"),
    [
        ("Cumberland", "cumbria"),
        ("Westmorland and Furness", "cumbria"),
        ("North Yorkshire", "north_yorkshire"),
        ("York", "north_yorkshire"),
        ("Somerset", "avon_and_somerset"),
        ("North Somerset", "avon_and_somerset"),
        ("Bristol, City of", "avon_and_somerset"),
        ("Swindon", "wiltshire"),
        ("Halton", "cheshire"),
        ("Wirral", "merseyside"),
        ("Redcar and Cleveland", "cleveland"),
        ("Darlington", "durham"),
        ("Luton", "bedfordshire"),
        ("Thurrock", "essex"),
        ("Epping Forest", "essex"),
        ("Medway", "kent"),
        ("Isle of Wight", "hampshire_and_isle_of_wight"),
        ("Bournemouth, Christchurch and Poole", "dorset"),
        ("Isles of Scilly", "devon_and_cornwall"),
        ("Rutland", "leicestershire"),
        ("Stoke-on-Trent", "staffordshire"),
        ("Telford and Wrekin", "west_mercia"),
        ("Redditch", "west_mercia"),
        ("Solihull", "west_midlands"),
        ("Stratford-on-Avon", "warwickshire"),
        ("Milton Keynes", "thames_valley"),
        ("Slough", "thames_valley"),
        ("Spelthorne", "surrey"),
        ("Brighton and Hove", "sussex"),
        ("Peterborough", "cambridgeshire"),
        ("East Riding of Yorkshire", "humberside"),
        ("North East Lincolnshire", "humberside"),
        ("Blackpool", "lancashire"),
        ("Barnsley", "south_yorkshire"),
        ("Broxbourne", "hertfordshire"),
        ("Croydon", "metropolitan"),
        ("City of London", "city_of_london"),
        ("Gateshead", "northumbria"),
        ("Merthyr Tydfil", "south_wales"),
        ("Powys", "dyfed_powys"),
        ("Wrexham", "north_wales"),
        ("Na h-Eileanan Siar", "scotland"),
        ("Belfast", "northern_ireland"),
    ],
)
def test_an_authority_is_policed_by(force_of: dict[str, str], authority: str, force: str) -> None:
    assert force_of[authority] == force


def test_every_code_has_the_shape_that_events_are_published_with(rows: list[dict[str, str]]) -> None:
    assert all(re.fullmatch(r"[EWSN][0-9]{8}", row["local_authority_code"]) for row in rows)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", row["police_force_area"]) for row in rows)
