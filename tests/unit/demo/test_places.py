"""Where the demonstration's people live: the derived table, and the regions that it is drawn from."""

import csv
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from leeward.demo.places import GWENT, SOUTH_WALES, TABLE, Region, all_places, pick_place, pick_postcode
from scripts import derive_demo_places
from scripts.derive_places import installed_folder
from services.intake.gateways.postcodes import POLICE_FORCE_AREAS, Postcodes


def authorities_of(police_force_area: str) -> set[str]:
    with POLICE_FORCE_AREAS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["local_authority_code"] for row in rows if row["police_force_area"] == police_force_area}


def test_the_table_is_what_the_script_derives() -> None:
    assert derive_demo_places.table(installed_folder()) == TABLE.read_text(encoding="utf-8")


def test_the_table_is_small_and_covers_the_united_kingdom() -> None:
    assert TABLE.stat().st_size < 250_000
    assert {place.local_authority[0] for place in all_places()} == set("ENSW")
    assert len({place.local_authority for place in all_places()}) == 361
    assert len({place.outward_code for place in all_places()}) > 2_700


def test_intake_finds_every_postcode_of_the_table_where_the_table_has_it() -> None:
    postcodes = Postcodes()
    for place in all_places():
        assert len(set(place.inward_codes)) == 5
        for inward in place.inward_codes:
            resolved = postcodes.resolve(f"{place.outward_code} {inward}")
            assert (resolved.outward_code, resolved.local_authority) == (place.outward_code, place.local_authority)


@pytest.mark.parametrize("outward", ["NP9", "CF1", "SO4", "AB2", "NPT", "JE2", "NW1W", "BT99"])
def test_outward_codes_where_nobody_lives_are_left_out(outward: str) -> None:
    assert outward not in {place.outward_code for place in all_places()}


def test_the_regions_are_those_of_the_police_force_areas() -> None:
    assert authorities_of("gwent") == GWENT
    assert authorities_of("south_wales") == SOUTH_WALES


@pytest.mark.parametrize(
    ("region", "authorities"), [(Region.GWENT, GWENT), (Region.SOUTH_WALES, SOUTH_WALES)], ids=["Gwent", "South Wales"]
)
def test_a_place_of_a_region_lies_in_it(region: Region, authorities: frozenset[str]) -> None:
    rng = Random(1)
    assert {pick_place(rng, region).local_authority for _ in range(500)} == authorities


def test_elsewhere_is_everywhere_but_in_gwent() -> None:
    rng = Random(1)
    assert not {pick_place(rng, Region.ELSEWHERE).local_authority for _ in range(5_000)} & GWENT


def test_places_are_picked_the_more_often_the_more_people_live_there() -> None:
    rng = Random(1)
    picked = Counter(pick_place(rng).local_authority[0] for _ in range(10_000))
    total = sum(place.weight for place in all_places())
    for nation in "ENSW":
        share = sum(place.weight for place in all_places() if place.local_authority.startswith(nation)) / total
        assert picked[nation] / 10_000 == pytest.approx(share, abs=0.015)


def test_a_postcode_is_one_of_its_place() -> None:
    place = all_places()[0]
    outward, inward = pick_postcode(Random(1), place).split(" ")
    assert outward == place.outward_code
    assert inward in place.inward_codes


def test_values_are_taken_from_the_middles_of_equal_stretches() -> None:
    assert derive_demo_places.spread([str(number) for number in range(10)], 5) == ["1", "3", "5", "7", "9"]


def test_only_postcodes_with_an_authority_and_a_new_grid_reference_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        ("NP201AA", "W06000022", 1.0, 1.0),
        ("NP201AB", "W06000022", 1.0, 1.0),  # a large user's, at the same place
        ("NP201AD", float("nan"), 2.0, 2.0),
        ("JE1 1AA", "L99999999", 3.0, 3.0),
        ("NPT 1AA", "W06000022", 4.0, 4.0),
        ("NP202AA", "W06000022", float("nan"), float("nan")),
        ("NP203AA", "W06000021", 5.0, 5.0),
    ]
    monkeypatch.setattr(derive_demo_places, "rows_of", lambda _: iter(rows))
    areas = derive_demo_places.distinct_postcodes(tmp_path)
    assert areas == {("NP20", "W06000022"): ["1AA"], ("NP20", "W06000021"): ["3AA"]}
