"""What intake makes of a postcode that a person typed."""

import subprocess
import sys
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import msgpack  # type: ignore[import-untyped]
import pytest

from services.intake.gateways.postcodes import Place, Postcodes, UnknownPlace, installed_folder

NEWPORT = Place(outward_code="NP20", local_authority="W06000022", police_force_area="gwent")


@pytest.fixture(scope="module")
def postcodes() -> Postcodes:
    return Postcodes()


def package(
    folder: Path, initial: str, authorities: dict[str, object], columns: tuple[str, ...] = ("pcd", "laua")
) -> None:
    """Writes a file as the data package does, from the local authority code of each postcode."""
    values = {"pcd": list(authorities), "laua": list(authorities.values()), "oseast1m": [0.0] * len(authorities)}
    data = {"columns": list(columns), "data": {name: values[name] for name in columns}}
    (folder / f"postcodes_{initial}.msgpack.br").write_bytes(brotli.compress(msgpack.packb(data)))


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("NP20 1AA", NEWPORT),
        ("CF83 1AA", Place("CF83", "W06000018", "gwent")),
        ("CF10 1AA", Place("CF10", "W06000015", "south_wales")),
        ("BT1 1AA", Place("BT1", "N09000003", "northern_ireland")),
        ("SW1A 1AA", Place("SW1A", "E09000033", "metropolitan")),
        ("EC2V 7HH", Place("EC2V", "E09000001", "city_of_london")),
        ("M1 1AE", Place("M1", "E08000003", "greater_manchester")),
        ("EH1 1YZ", Place("EH1", "S12000036", "scotland")),
        ("TR21 0LW", Place("TR21", "E06000053", "devon_and_cornwall")),
        ("S70 2DR", Place("S70", "E08000038", "south_yorkshire")),
    ],
)
def test_a_full_postcode_gives_the_local_authority_and_the_police_force_area(
    postcodes: Postcodes, typed: str, place: Place
) -> None:
    assert postcodes.resolve(typed) == place


def test_one_outward_code_may_hold_two_police_force_areas(postcodes: Postcodes) -> None:
    assert postcodes.resolve("CF46 5AA") == Place("CF46", "W06000024", "south_wales")
    assert postcodes.resolve("CF46 6BF") == Place("CF46", "W06000018", "gwent")


@pytest.mark.parametrize(
    "typed",
    ["NP201AA", "np20 1aa", "  Np20   1Aa ", "np20-1aa", "NP20,1AA.", "(NP20 1AA)", "N P 2 0 1 A A", "NP20\t1AA\n"],
)
def test_spaces_case_and_punctuation_do_not_matter(postcodes: Postcodes, typed: str) -> None:
    assert postcodes.resolve(typed) == NEWPORT


@pytest.mark.parametrize("outward", ["NP20", "CF46", "SW1A", "W1A", "M1", "BT1"])
def test_an_area_is_never_guessed_from_an_outward_code(postcodes: Postcodes, outward: str) -> None:
    assert postcodes.resolve(outward.lower()) == Place(outward, None, None)


def test_an_unknown_postcode_of_a_known_outward_code_has_no_area(postcodes: Postcodes) -> None:
    assert postcodes.resolve("NP20 0ZZ") == Place("NP20", None, None)


def test_a_known_postcode_that_has_no_grid_reference_has_no_area(postcodes: Postcodes) -> None:
    assert postcodes.resolve("CF46 9AA") == Place("CF46", None, None)


@pytest.mark.parametrize(
    ("typed", "outward"), [("JE1 1AA", "JE1"), ("GY1 1AA", "GY1"), ("IM1 1AA", "IM1"), ("JE2", "JE2")]
)
def test_a_crown_dependency_has_no_area(postcodes: Postcodes, typed: str, outward: str) -> None:
    assert postcodes.resolve(typed) == Place(outward, None, None)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " - ",
        "Newport",
        "NP20 1A",
        "NP20 1AAA",
        "NP20 1AA NP20 1AB",
        "NP",
        "90210",
        "D02 X285",
        "NP２０ 1AA",
        "NPT 1AA",
        "GIR 0AA",
        "Q1 1AA",
        "NP2) 1AA",
        "NP2- 1AA",
    ],
)
def test_refuses_what_has_not_the_form_of_a_uk_postcode(postcodes: Postcodes, typed: str) -> None:
    with pytest.raises(UnknownPlace, match="Enter a UK postcode"):
        postcodes.resolve(typed)


@pytest.mark.parametrize("typed", ["ZZ99 9ZZ", "NP99", "CF9 1AA"])
def test_refuses_an_outward_code_that_exists_nowhere(postcodes: Postcodes, typed: str) -> None:
    with pytest.raises(UnknownPlace, match="Check the first part of the postcode"):
        postcodes.resolve(typed)


@pytest.mark.parametrize("typed", ["Flat 3, 12 Commercial Street", "NP99 7XQ"])
def test_a_refusal_never_repeats_what_was_typed(postcodes: Postcodes, typed: str) -> None:
    with pytest.raises(UnknownPlace) as refused:
        postcodes.resolve(typed)
    assert not any(word in str(refused.value) for word in typed.split())
    assert refused.value.__cause__ is None


def test_every_postcode_of_a_packaged_file_is_resolved_to_its_own_authority(postcodes: Postcodes) -> None:
    """The letter I mixes England (IG, IP), Scotland (IV), the Isle of Man (IM) and codes without a grid reference."""
    file = installed_folder() / "postcodes_I.msgpack.br"
    data = msgpack.unpackb(brotli.decompress(file.read_bytes()))["data"]
    wrong = [
        postcode
        for postcode, code in zip(data["pcd"], data["laua"], strict=True)
        if postcodes.resolve(postcode).local_authority != (code if str(code)[0] in "ES" else None)
    ]
    assert len(data["pcd"]) > 50_000
    assert wrong == []


def test_a_file_is_read_once_and_only_for_its_letter(tmp_path: Path) -> None:
    package(tmp_path, "N", {"NP201AA": "W06000022"})
    (tmp_path / "postcodes_B.msgpack.br").write_bytes(b"not read")
    postcodes = Postcodes(tmp_path)
    assert postcodes.resolve("NP20 1AA") == NEWPORT
    (tmp_path / "postcodes_N.msgpack.br").unlink()
    assert postcodes.resolve("NP20 1AA") == NEWPORT


def test_the_order_of_a_files_columns_and_rows_does_not_matter(tmp_path: Path) -> None:
    rows: dict[str, object] = {"NP201AB": "W06000022", "NP4 0AA": "W06000020", "NP201AA": float("nan")}
    package(tmp_path, "N", rows, columns=("oseast1m", "laua", "pcd"))
    postcodes = Postcodes(tmp_path)
    assert postcodes.resolve("NP20 1AB") == NEWPORT
    assert postcodes.resolve("NP4 0AA") == Place("NP4", "W06000020", "gwent")
    assert postcodes.resolve("NP20 1AA") == Place("NP20", None, None)


def test_an_authority_that_the_table_does_not_know_yet_has_no_police_force_area(tmp_path: Path) -> None:
    package(tmp_path, "N", {"NP201AA": "W06000099"})
    assert Postcodes(tmp_path).resolve("NP20 1AA") == Place("NP20", "W06000099", None)


def test_refuses_to_start_without_its_data(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no postcode files"):
        Postcodes(tmp_path)


def test_the_whole_uk_fits_in_80_mb_and_needs_neither_nameko_nor_sqlalchemy_nor_pandas() -> None:
    script = """
import pathlib, string, sys
from services.intake.gateways.postcodes import Postcodes, UnknownPlace
postcodes = Postcodes()
for initial in string.ascii_uppercase:
    try:
        postcodes.resolve(initial + "1 1AA")
    except UnknownPlace:
        pass
assert not {"nameko", "sqlalchemy", "pandas"} & set(sys.modules)
print(pathlib.Path("/proc/self/status").read_text())
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    most_ever_kb = int(ran.stdout.split("VmHWM:")[1].split()[0])
    assert 20_000 < most_ever_kb < 80_000
