"""The harness itself, on a tiny scale: our own service and the bare limit do a few events, and a page is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.contestants import LIMIT, NAMEKO, ORM
from bench.core.bus import connected
from bench.core.lab import Lab
from bench.core.plan import SMOKE
from bench.core.results import Results
from bench.core.trial import ContestantDied, drain, running
from bench.report.page import write_page
from bench.sections import throughput
from bench.sections.relay import CHUNK, drain_outbox
from bench.sections.throughput import Entry, Round
from leeward.runtime.local_broker import Node

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def lab(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(tmp_path_factory.mktemp("lab"), node, "", None, lambda what: None)
    lab.amqp_uri = lab.virtual_host("bench")
    return lab


def test_a_round_of_ours_is_measured_checked_and_written_into_the_page(lab: Lab, tmp_path: Path) -> None:
    results = Results(tmp_path / "benchmarks")
    problems = throughput.measure_these([Entry(ORM, "sqlite"), Entry(LIMIT, "")], lab, SMOKE, results)
    assert problems == []

    rounds = {one.contestant: one for one in results.load(throughput.NAME, Round)}
    ours, limit = rounds[ORM.name], rounds[LIMIT.name]
    assert (ours.rows, ours.followups, ours.duplicates) == (SMOKE.events_ours, SMOKE.events_ours, 0)
    assert limit.followups == SMOKE.events_ours
    assert min(ours.cpu_process, ours.cpu_broker) > 0

    write_page(tmp_path, results)
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "Leeward, ORM on SQLite, against the bare limit" in page
    assert "Not measured yet: `python -m bench run --only latency`" in page


def test_the_backlog_that_a_service_was_away_for_is_drained_in_full(lab: Lab) -> None:
    rows = CHUNK + 1
    with connected(lab.amqp_uri) as bus:
        done, samples = drain_outbox(lab, bus, 1, "sqlite", rows)
    assert (done.arrived, done.duplicates) == (rows, 0)
    assert samples[0].rss_mb > 0


def test_a_round_that_lost_an_event_is_invalid(lab: Lab) -> None:
    with connected(lab.amqp_uri) as bus, running(lab, bus, ORM, "sqlite") as trial:
        done = drain(trial, 50)
    assert done.problem(50, rows=True) == ""
    assert replace(done, rows=49).problem(50, rows=True) == "49 rows for 50 events"
    assert replace(done, followups=49).problem(50, rows=True) == "49 different follow-ups for 50 events"


def test_a_contestant_that_ends_by_itself_is_told_with_its_last_words(lab: Lab) -> None:
    broken = replace(NAMEKO, name="broken", command=("sh", "-c", "echo no such thing; exit 3"), has_database=False)
    with (
        connected(lab.amqp_uri) as bus,
        pytest.raises(ContestantDied, match="no such thing"),
        running(lab, bus, broken, ""),
    ):
        pytest.fail("it was said to be ready")


def test_a_target_that_was_missed_says_so(tmp_path: Path) -> None:
    ours = Round(1, ORM.name, "sqlite", 100, 1.0, 0.1, 0.0, 0.1, 100, 100, 0, "")
    peer = replace(ours, contestant=NAMEKO.name, seconds=0.5)
    invalid = replace(ours, round=2, seconds=0.001, problem="99 rows for 100 events")
    results = Results(tmp_path / "benchmarks")
    results.save(throughput.NAME, [ours, peer, invalid, replace(peer, round=2)])
    write_page(tmp_path, results)
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "against nameko, 10 workers | ≥ 8× | 0.50× (0.50–0.50) | **not met**" in page


def test_the_page_in_the_documentation_is_the_one_that_its_results_make(tmp_path: Path) -> None:
    shutil.copytree(DOCS / "benchmarks", tmp_path / "benchmarks", dirs_exist_ok=True)
    write_page(tmp_path, Results(tmp_path / "benchmarks"))
    made = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert made == (DOCS / "benchmarks.md").read_text(encoding="utf-8"), "run `python -m bench report`"


def test_the_command_line_names_the_sections_that_there_are() -> None:
    command = [sys.executable, "-m", "leeward.cli", "bench", "--only", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no section nonsense; there are throughput, latency" in done.stderr
