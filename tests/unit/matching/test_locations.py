"""Where outward codes are, how their table is derived, and how far apart points are."""

import csv
import re
from math import cos, degrees, hypot, radians

import pytest

from scripts import derive_places
from scripts.derive_places import BRITISH_NATIONAL_GRID, IRISH_GRID, Ellipsoid, Grid, Helmert
from services.matching.domain.locations import Point, distance_km
from services.matching.gateways.outward_codes import OUTWARD_CODES, OutwardCodes

CAISTER_WATER_TOWER = (651409.903, 313177.270)
"""The easting and northing of the worked examples in the annexes of Ordnance Survey's guide."""


@pytest.fixture(scope="module")
def outward_codes() -> OutwardCodes:
    return OutwardCodes()


def metres_apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The distance between two near latitudes and longitudes in degrees."""
    return hypot((a[0] - b[0]) * 111_320, (a[1] - b[1]) * 111_320 * cos(radians(a[0])))


@pytest.mark.parametrize(
    ("outward", "near", "within_km"),
    [
        ("NP20", Point(51.58, -2.99), 2.0),
        ("SW1A", Point(51.50, -0.14), 1.0),
        ("EH1", Point(55.95, -3.19), 1.0),
        ("BT1", Point(54.60, -5.93), 1.0),
        ("BT48", Point(55.00, -7.33), 2.5),
        ("KW15", Point(58.98, -2.96), 1.0),
        ("ZE1", Point(60.15, -1.15), 2.0),
        ("TR21", Point(49.915, -6.315), 2.0),
    ],
)
def test_an_outward_code_is_where_its_people_are(
    outward_codes: OutwardCodes, outward: str, near: Point, within_km: float
) -> None:
    found = outward_codes.locate(outward)
    assert found is not None
    assert distance_km(found, near) < within_km


@pytest.mark.parametrize(
    ("outward", "town", "within_km"),
    [
        ("PA80", Point(56.54, -5.78), 4.0),
        ("LE6", Point(52.66, -1.23), 2.0),
        ("OX9", Point(51.747, -0.975), 2.0),
        ("DE7", Point(52.97, -1.31), 2.0),
    ],
)
def test_an_outward_code_that_has_moved_is_where_its_people_are_now(
    outward_codes: OutwardCodes, outward: str, town: Point, within_km: float
) -> None:
    """Lochaline, Groby, Thame and Ilkeston: the outward codes once covered other or larger areas."""
    found = outward_codes.locate(outward)
    assert found is not None
    assert distance_km(found, town) < within_km


@pytest.mark.parametrize("outward", ["JE2", "GY1", "IM1", "ZZ99", "np20", ""])
def test_an_outward_code_without_coordinates_has_no_place(outward_codes: OutwardCodes, outward: str) -> None:
    assert outward_codes.locate(outward) is None


def test_the_table_holds_each_outward_code_once_in_order_and_inside_the_uk() -> None:
    with OUTWARD_CODES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [row["outward_code"] for row in rows]
    assert names == sorted(set(names))
    assert len(names) == 3_077
    assert all(re.fullmatch(r"[A-Z]{1,2}[0-9][A-Z0-9]?", name) for name in names)
    assert all(49.8 < float(row["latitude"]) < 60.9 and -8.2 < float(row["longitude"]) < 1.8 for row in rows)


def test_northern_ireland_is_nowhere_near_great_britain() -> None:
    """On the British grid, the Irish grid's references would lie in the Irish Sea and in England."""
    with OUTWARD_CODES.open(encoding="utf-8", newline="") as file:
        north = [row for row in csv.DictReader(file) if row["outward_code"].startswith("BT")]
    assert len(north) == 81
    assert all(54.0 < float(row["latitude"]) < 55.3 and -8.2 < float(row["longitude"]) < -5.4 for row in north)


@pytest.mark.timeout(60)
def test_the_table_is_what_the_script_derives_from_the_installed_package() -> None:
    derived = derive_places.table(derive_places.installed_folder())
    assert derived.splitlines() == OUTWARD_CODES.read_text(encoding="utf-8").splitlines()


def test_the_inverse_projection_agrees_with_ordnance_surveys_worked_example() -> None:
    latitude, longitude = derive_places.unproject(BRITISH_NATIONAL_GRID, *CAISTER_WATER_TOWER)
    assert degrees(latitude) == pytest.approx(52 + 39 / 60 + 27.2531 / 3600, abs=1e-8)
    assert degrees(longitude) == pytest.approx(1 + 43 / 60 + 4.5177 / 3600, abs=1e-8)


def test_the_geocentric_point_agrees_with_ordnance_surveys_worked_example() -> None:
    latitude, longitude = derive_places.unproject(BRITISH_NATIONAL_GRID, *CAISTER_WATER_TOWER)
    point = derive_places.geocentric(BRITISH_NATIONAL_GRID.ellipsoid, latitude, longitude, height=24.7)
    assert point == pytest.approx((3874938.850, 116218.624, 5047168.207), abs=0.002)
    assert derive_places.geodetic(BRITISH_NATIONAL_GRID.ellipsoid, point) == pytest.approx((latitude, longitude))


@pytest.mark.parametrize(
    ("easting", "northing", "latitude", "longitude"),
    [
        pytest.param(91492.146, 11318.804, 49.92226393730, -6.29977752014, id="TP01 St Mary's, Scilly"),
        pytest.param(639821.835, 169565.858, 51.37447025550, 1.44454730409, id="TP07 North Foreland"),
        pytest.param(241124.584, 220332.641, 51.85890896400, -4.30852476960, id="TP10 Carmarthen"),
        pytest.param(422242.186, 433818.701, 53.80021519630, -1.66379168242, id="TP20 Leeds"),
        pytest.param(267056.768, 846176.972, 57.48625000720, -4.21926398555, id="TP30 Inverness"),
        pytest.param(395999.668, 1138728.951, 60.13308091660, -2.07382822798, id="TP40 Foula"),
    ],
)
def test_a_british_grid_reference_is_placed_within_5_metres_of_the_published_test_points(
    easting: float, northing: float, latitude: float, longitude: float
) -> None:
    """The test points of the OSTN15 developer pack, from Scilly to Shetland (c) Crown copyright, Ordnance Survey."""
    assert metres_apart(derive_places.wgs84(BRITISH_NATIONAL_GRID, easting, northing), (latitude, longitude)) < 5


def test_an_irish_grid_reference_is_placed_within_a_metre_of_its_successor_grids() -> None:
    """The Spire of Dublin as published on the Irish Grid and on Irish Transverse Mercator (EPSG:2157), whose datum
    coincides with WGS84."""
    unmoved = Helmert((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0)
    itm = Grid(Ellipsoid(6378137.0, 6356752.314140), 53.5, -8.0, 600_000.0, 750_000.0, 0.99982, unmoved)
    on_irish_grid = derive_places.wgs84(IRISH_GRID, 315904, 234671)
    assert metres_apart(on_irish_grid, derive_places.wgs84(itm, 715830, 734697)) < 1


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert distance_km(Point(51.0, -3.0), Point(52.0, -3.0)) == pytest.approx(111.195, abs=0.001)


def test_a_degree_of_longitude_shrinks_towards_the_pole() -> None:
    assert distance_km(Point(60.0, -3.0), Point(60.0, -2.0)) == pytest.approx(111.195 / 2, abs=0.01)


def test_london_is_534_kilometres_from_edinburgh_and_edinburgh_as_far_from_london() -> None:
    london, edinburgh = Point(51.5074, -0.1278), Point(55.9533, -3.1883)
    assert distance_km(london, edinburgh) == pytest.approx(534, abs=1)
    assert distance_km(edinburgh, london) == distance_km(london, edinburgh)


def test_a_point_is_no_distance_from_itself_and_half_the_earth_from_its_antipode() -> None:
    newport = Point(51.59, -3.0)
    assert distance_km(newport, newport) == 0
    assert distance_km(newport, Point(-51.59, 177.0)) == pytest.approx(20_015, abs=1)
