"""Change, with its uncertainty, and never of a group that is too small."""

from __future__ import annotations

import math
import statistics
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from services.evaluation.domain.change import Change, Pair, change_of, reliable_change_points, share, t_quantile
from services.evaluation.gateways.library import FOLDER, Library

LIBRARY = Library(FOLDER)
CORE_10, VIEW = LIBRARY.newest("core-10"), LIBRARY.newest("therapist-view")


def pairs(*changes: float, start: float = 20.0, person: UUID | None = None) -> list[Pair]:
    return [Pair(person or new_id(), start, start + change) for change in changes]


def computed(found: Change | None) -> Change:
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("z", "points"),
    [(1.645, 5.66), (1.96, 6.75)],
)
def test_reliable_change_follows_jacobson_and_truax(z: float, points: float) -> None:
    assert round(reliable_change_points(z=z, standard_deviation=7.7, reliability=0.9), 2) == points


def test_a_perfectly_reliable_instrument_needs_no_threshold() -> None:
    assert reliable_change_points(z=1.96, standard_deviation=7.7, reliability=1.0) == 0


@pytest.mark.parametrize(
    ("degrees", "published"),
    [(8, 2.306), (9, 2.262), (15, 2.131), (29, 2.045), (60, 2.000), (120, 1.980)],
)
def test_students_t_is_that_of_the_tables(degrees: int, published: float) -> None:
    assert t_quantile(0.975, degrees) == pytest.approx(published, abs=0.001)


def test_mean_change_comes_with_its_standard_error_and_its_interval() -> None:
    """Ten changes with mean −5 and standard deviation 2: 2/√10 = 0.632, times 2.262 is 1.431."""
    spread = math.sqrt(4 * 9 / 10)
    found = computed(change_of(pairs(*[-5 - spread] * 5, *[-5 + spread] * 5), instrument=CORE_10, smallest_group=10))
    assert found.mean.estimate == pytest.approx(-5)
    assert found.standard_error == pytest.approx(0.632, abs=0.001)
    assert found.mean.low == pytest.approx(-6.431, abs=0.002)
    assert found.mean.high == pytest.approx(-3.569, abs=0.002)


def test_six_points_fewer_on_the_core_10_is_reliable_improvement_and_five_is_not() -> None:
    found = computed(change_of(pairs(-6, -12, -5.99, -5, 0, 3, 5.99, 6, 7, -1), instrument=CORE_10, smallest_group=10))
    assert found.improved is not None
    assert found.worse is not None
    assert found.improved.estimate == 0.2
    assert found.worse.estimate == 0.2


def test_an_instrument_without_a_published_threshold_has_no_reliable_change() -> None:
    found = computed(change_of(pairs(*range(10), start=0), instrument=VIEW, smallest_group=10))
    assert (found.improved, found.worse) == (None, None)
    assert found.mean.estimate == 4.5


def test_nine_people_are_too_few_and_ten_are_enough() -> None:
    assert change_of(pairs(*range(9)), instrument=CORE_10, smallest_group=10) is None
    assert change_of(pairs(*range(10)), instrument=CORE_10, smallest_group=10) is not None


def test_ten_pairs_of_one_person_are_one_person() -> None:
    assert change_of(pairs(*range(10), person=new_id()), instrument=CORE_10, smallest_group=10) is None


def test_one_pair_has_no_uncertainty_that_could_be_told() -> None:
    assert change_of(pairs(-3), instrument=CORE_10, smallest_group=1) is None


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (10, 10, 0.722, 1.0)],
)
def test_a_share_s_interval_is_wilson_s(count: int, of: int, low: float, high: float) -> None:
    found = share(count, of)
    assert found.low == pytest.approx(low, abs=0.001)
    assert found.high == pytest.approx(high, abs=0.001)


@given(changes=st.lists(st.floats(min_value=-20, max_value=20), min_size=10, max_size=60))
def test_an_interval_holds_its_estimate_and_shares_add_up_to_no_more_than_all(changes: list[float]) -> None:
    found = computed(change_of(pairs(*changes), instrument=CORE_10, smallest_group=10))
    assert found.mean.low <= found.mean.estimate <= found.mean.high
    assert found.mean.estimate == pytest.approx(statistics.fmean(changes), abs=1e-6)
    assert found.improved is not None
    assert found.worse is not None
    assert found.improved.estimate + found.worse.estimate <= 1
    for one in (found.improved, found.worse):
        assert 0 <= one.low <= one.estimate <= one.high <= 1


@given(changes=st.lists(st.integers(-20, 20), min_size=10, max_size=40))
def test_what_improves_one_way_worsens_the_other(changes: list[int]) -> None:
    there = computed(change_of(pairs(*changes), instrument=CORE_10, smallest_group=10))
    back = computed(change_of(pairs(*[-one for one in changes]), instrument=CORE_10, smallest_group=10))
    assert there.improved == back.worse
    assert there.mean.estimate == pytest.approx(-back.mean.estimate)
