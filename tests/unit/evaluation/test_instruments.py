"""The definition files, and what is refused as one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from contracts.vocabulary import AgeBand
from services.evaluation.domain.change import reliable_change_points
from services.evaluation.domain.instruments import Instrument, InvalidDefinition, read_definition
from services.evaluation.gateways.library import FOLDER, Library, NoSuchInstrument

LIBRARY = Library(FOLDER)
CORE_10, PHQ_9, GAD_7 = (LIBRARY.newest(code) for code in ("core-10", "phq-9", "gad-7"))
FILES = sorted(FOLDER.glob("*.json"))


def a_definition(**changes: Any) -> dict[str, Any]:
    definition = {
        "instrument": "made-up",
        "version": 1,
        "higher_is": "worse",
        "answers": {"lowest": 0, "highest": 4},
        "items": [{"code": "q1"}, {"code": "q2"}],
        "missing_allowed": 1,
        "sources": ["Made up for a test."],
    }
    return definition | changes


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_named_after_what_it_defines(path: Any) -> None:
    definition = json.loads(path.read_text())
    assert path.name == f"{definition['instrument']}.v{definition['version']}.json"
    assert read_definition(definition).sources


@pytest.mark.parametrize("code", ["core-10", "phq-9", "gad-7"])
def test_the_wording_of_a_licensed_instrument_does_not_ship_with_us(code: str) -> None:
    definition = json.loads((FOLDER / f"{code}.v1.json").read_text())
    assert all(set(item) == {"code"} for item in definition["items"])


def test_the_core_10_is_as_published() -> None:
    """Barkham et al. 2013."""
    assert len(CORE_10.items) == 10
    assert [item.code for item in CORE_10.items if item.reversed] == ["q2", "q3"]
    assert [(item.code, item.risk_from) for item in CORE_10.items if item.risk_from] == [("q6", 1)]
    assert (CORE_10.missing_allowed, CORE_10.cut_off) == (1, 11)
    assert CORE_10.reliable_change is not None
    assert (CORE_10.reliable_change.points, CORE_10.reliable_change.confidence) == (6, 0.9)


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0, "healthy"),
        (5, "healthy"),
        (6, "low"),
        (10, "low"),
        (11, "mild"),
        (14, "mild"),
        (15, "moderate"),
        (19, "moderate"),
        (20, "moderate_to_severe"),
        (24, "moderate_to_severe"),
        (25, "severe"),
        (40, "severe"),
    ],
)
def test_the_core_10_s_bands_are_as_published(score: int, band: str) -> None:
    assert CORE_10.band_of(score) == band
    assert CORE_10.is_clinical(score) is (score >= 11)


@pytest.mark.parametrize(
    ("instrument", "items", "highest", "cut_off", "points"),
    [(PHQ_9, 9, 27, 10, 6), (GAD_7, 7, 21, 8, 4)],
)
def test_the_others_are_as_the_nhs_manual_has_them(
    instrument: Instrument, items: int, highest: int, cut_off: int, points: int
) -> None:
    assert len(instrument.items) == items
    assert sum(item.highest for item in instrument.items) == highest
    assert instrument.cut_off == cut_off
    assert instrument.reliable_change is not None
    assert instrument.reliable_change.points == points


def test_the_phq_9_s_ninth_item_is_brought_to_a_person() -> None:
    assert [item.code for item in PHQ_9.items if item.risk_from == 1] == ["q9"]


def test_each_published_threshold_follows_from_its_own_figures() -> None:
    """Jacobson and Truax 1991: 5.66 at 90 %, published as 6 whole points; 6.75 at 95 %."""
    definition = json.loads((FOLDER / "core-10.v1.json").read_text())
    for one in definition["reliable_change"]:
        points = reliable_change_points(
            z=one["z"], standard_deviation=one["standard_deviation"], reliability=one["reliability"]
        )
        assert round(points, 2) == one["computed"]
        assert one["points"] in (math.ceil(points), round(points, 2))


def test_no_instrument_for_adults_is_put_to_the_young() -> None:
    assert all(AgeBand.UNDER_18 in one.not_for_ages for one in (CORE_10, PHQ_9, GAD_7))


def test_the_newest_version_is_used_and_an_older_one_can_still_be_scored(tmp_path: Any) -> None:
    for version in (1, 2, 10):
        (tmp_path / f"made-up.v{version}.json").write_text(json.dumps(a_definition(version=version)))
    library = Library(tmp_path)
    assert library.newest("made-up").version == 10
    assert library.get("made-up", 2).version == 2
    with pytest.raises(NoSuchInstrument):
        library.get("made-up", 3)
    with pytest.raises(NoSuchInstrument):
        library.newest("core-10")


@pytest.mark.parametrize(
    "changes",
    [
        {"items": []},
        {"items": [{"code": "q1"}, {"code": "q1"}]},
        {"answers": {"lowest": 4, "highest": 0}},
        {"missing_allowed": 2},
        {"missing_allowed": -1},
        {"bands": [{"name": "b", "from": 5}, {"name": "a", "from": 0}]},
        {"sources": []},
        {"higher_is": "unknown"},
        {"version": None, "items": [{}]},
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidDefinition, match="made-up"):
        read_definition(a_definition(**changes))


def test_a_definition_that_says_too_little_is_refused_by_name() -> None:
    definition = a_definition()
    del definition["higher_is"]
    with pytest.raises(InvalidDefinition, match="higher_is is missing"):
        read_definition(definition)


@pytest.mark.parametrize("key", ["reversed", "risk"])
def test_a_definition_that_names_an_item_it_has_not_is_refused(key: str) -> None:
    named: Any = ["q7"] if key == "reversed" else [{"item": "q7", "from": 1}]
    with pytest.raises(InvalidDefinition, match="q7"):
        read_definition(a_definition(**{key: named}))
