"""What the benchmark makes of its rounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.console.watched import Change, delays
from bench.contestants import ALL_PEERS, BY_NAME, LIMIT, jobs
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.statistics import Spread, percentile, ratios, slope
from bench.journey.profile import shares
from bench.sections import console_lists
from bench.sections.console_live import Pages, Seen
from bench.sections.journey_rows import Depth
from bench.sections.journey_steady import growth_of, stream_of
from bench.sections.kills import duplicates_after


def test_a_spread_is_the_median_with_the_range() -> None:
    assert Spread.of([30.0, 10.0, 20.0]) == Spread(median=20.0, lowest=10.0, highest=30.0, rounds=3)


def test_a_figure_without_a_round_is_refused() -> None:
    with pytest.raises(ValueError, match="no round"):
        Spread.of([])


def test_ratios_compare_within_a_round_and_leave_out_rounds_that_one_of_them_lacks() -> None:
    assert ratios({1: 80.0, 2: 90.0, 3: 50.0}, {1: 10.0, 3: 5.0, 4: 1.0}) == [8.0, 10.0]


def test_a_percentile_lies_between_the_values_around_it() -> None:
    values = [float(value) for value in range(1, 102)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([4.0, 8.0], 0.25)) == (51.0, 100.0, 5.0)


def test_a_slope_is_the_growth_per_unit() -> None:
    assert slope([(0, 5), (1, 8), (2, 11)]) == pytest.approx(3.0)
    assert slope([(2, 5), (2, 9)]) == 0.0


def test_a_change_is_seen_when_its_row_says_so_and_never_where_none_does() -> None:
    published = [Change("a", True, 1.0), Change("b", True, 1.1), Change("a", False, 3.0)]
    seen = [Change("a", True, 1.4), Change("a", False, 3.2)]
    assert delays(published, seen) == [pytest.approx(0.4), float("inf"), pytest.approx(0.2)]


def test_every_target_of_the_console_is_on_its_page_measured_or_not(tmp_path: Path) -> None:
    results = Results(tmp_path)
    before = console_lists.chapter(results).targets
    assert {target.met for target in before} == {None}
    results.save("console_live", [Seen("sqlite", 50, 100, 9, 0.1, 0.4, 2.5, 0, 9.0)])
    results.save("console_pages", [Pages("sqlite", 9, 40.0, 151.0, 40.0, 90.0, 120.0, 90.0, 9.0)])
    told = {target.figure: target for target in console_lists.chapter(results).targets}
    assert len(told) == len(before)
    assert [name for name, target in told.items() if target.met is False] == [
        "A change is on 50 open consoles on SQLite at 100 events/s, p95 and p99",
        "A referral's page on SQLite, p95",
    ]


def filling(service: str, by: int, per_second: float) -> list[Depth]:
    return [Depth("sqlite", per_second, second, f"{service}.inbox", 100 + by * second) for second in range(10)]


def test_a_queue_that_fills_in_the_second_half_is_seen_to_grow() -> None:
    growth = growth_of(filling("billing", 10, 5.0) + filling("intake", -1, 5.0))
    assert growth["billing.inbox"] == pytest.approx(10.0)
    assert growth["intake.inbox"] < 0


def test_a_stream_is_known_by_what_grew_most_and_grows_from_a_twentieth_of_its_rate_on() -> None:
    stream = stream_of(filling("billing", 1, 19.0) + filling("intake", -1, 19.0))
    assert (stream.queue, stream.grows) == ("billing.inbox", True)
    assert not stream_of(filling("billing", 1, 21.0)).grows


def test_a_duplicate_is_counted_to_the_first_kill_after_it_was_published() -> None:
    #            first kill after 3 ↓        second after 5 ↓
    followups = ["a", "b", "c", "c", "d", "b", "d", "e"]
    assert duplicates_after(followups, [3, 5]) == {1: 2, 2: 1}


def test_a_duplicate_that_no_kill_explains_is_counted_to_the_last() -> None:
    assert duplicates_after(["a", "b", "b"], [1]) == {1: 1}


def test_a_kill_that_made_no_duplicate_counts_nought() -> None:
    assert duplicates_after(["a", "b"], [1]) == {1: 0}


def test_a_look_counts_to_the_innermost_area_and_a_commit_wherever_it_is_seen() -> None:
    handling = "run (chassis/bus/consumer.py:9);charge (services/billing/handlers/matches.py:3)"
    raw = "\n".join(
        (
            f"{handling} 1",
            f"{handling};execute (site-packages/sqlalchemy/orm/session.py:2) 2",
            f"{handling};commit (site-packages/sqlalchemy/orm/session.py:7);wait (psycopg/waiting.py:1) 1",
        )
    )
    assert shares(raw) == {"SQL": 0.5, "handler": 0.25, "commit": 0.25}


def test_a_contestant_that_fails_loses_no_other() -> None:
    measured: list[tuple[int, str]] = []

    def measure(number: int, entry: str) -> None:
        if entry == "broken":
            raise RuntimeError("it fell over")
        measured.append((number, entry))

    problems = interleave(("first", "broken", "last"), 2, measure, lambda what: None)
    assert measured == [(1, "first"), (1, "last"), (2, "last"), (2, "first")]
    assert problems == [
        "round 1, broken: RuntimeError: it fell over",
        "round 2, broken: RuntimeError: it fell over",
    ]


@dataclass(frozen=True)
class Kept:
    name: str
    count: int
    seconds: float
    valid: bool


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = [Kept("a, b", 3, 1.5, True), Kept("", 0, 0.25, False)]
    results = Results(tmp_path)
    results.save("kept", rows)
    assert results.load("kept", Kept) == rows


def test_every_peer_says_what_it_promises() -> None:
    for contestant in (*ALL_PEERS, LIMIT):
        assert "Duplicates" in contestant.guarantee or "duplicates" in contestant.guarantee, contestant.name


def test_the_job_is_about_six_hundred_bytes_for_everybody() -> None:
    (job,) = jobs(1)
    for contestant in BY_NAME.values():
        assert 550 <= len(contestant.wire(job).body) <= 800, contestant.name
