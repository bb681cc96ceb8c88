"""Every fault of the list in its short form. `make faults` runs the long forms and publishes what came of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import mail, matrix, runner
from tests.faults.__main__ import SEED
from tests.faults.runner import Runner, Unavailable
from tests.faults.scenario import SCENARIOS, Scenario

NUMBERS = range(1, 39)
SHORT_FORMS = [
    (SCENARIOS[number], store) for number in sorted(SCENARIOS) for store in SCENARIOS[number].stores(short=True)
]


@pytest.fixture(scope="module")
def short_forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A broker, a PostgreSQL server and a probe on each store, shared by all of the scenarios."""
    with runner.running(tmp_path_factory.mktemp("faults"), seed=SEED, short=True) as running:
        yield running


@pytest.mark.parametrize(
    ("scenario", "store"), SHORT_FORMS, ids=[f"{scenario.number}-{store}" for scenario, store in SHORT_FORMS]
)
def test_nothing_is_lost_and_nothing_done_twice(scenario: Scenario, store: str, short_forms: Runner) -> None:
    must_run = os.environ.get("LEEWARD_TESTS_NEED_POSTGRESQL")
    if store not in short_forms.ground.stores and not must_run:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    try:
        outcome = short_forms.run(scenario, store)
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert outcome.problems == (), f"{scenario.name}: {outcome}"
    assert outcome.events > 0


def test_mail_goes_out_again_rather_than_never_and_under_the_same_id(short_forms: Runner) -> None:
    with mail.opened(short_forms.ground, "sqlite") as mailroom:
        mailings = list(mail.try_all(mailroom))
    assert [one for one in mailings if one.problems] == []
    assert {one.copies for one in mailings if one.when == mail.AFTER} == {2}


def test_every_fault_of_the_list_has_a_scenario_that_says_how_it_was_seen_to_fail() -> None:
    assert sorted(SCENARIOS) == list(NUMBERS)
    assert [one.number for one in SCENARIOS.values() if not (one.made and one.seen and one.sabotage)] == []


def test_every_fault_runs_on_each_store_or_says_why_not() -> None:
    for scenario in SCENARIOS.values():
        on, not_on = set(scenario.stores(short=False)), dict(scenario.not_on)
        assert on | set(not_on) == {"sqlite", "postgresql"}
        assert all(not_on.values())


def test_the_published_matrix_names_every_fault_on_both_stores() -> None:
    page = Path(matrix.PATH).read_text()
    for scenario in SCENARIOS.values():
        rows = re.findall(rf"^\| {scenario.number} \| {re.escape(scenario.name)} \|", page, re.MULTILINE)
        assert len(rows) == 2, f"fault {scenario.number} is missing: run `make faults`"
    assert "not run here" not in page, "run `python -m tests.faults --only …` for what is missing"


def test_what_is_seen_again_takes_the_place_of_what_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "PATH", tmp_path / "faults.md")
    monkeypatch.setattr(matrix, "RECORD", tmp_path / "faults.json")
    seen = runner.Outcome(
        number=2, store="sqlite", events=5, lost=1, twice=0, duplicates=0, parked=0, seconds=1.0, problems=("1 lost",)
    )
    sent = mail.Mailing("an alert", "before", "sqlite", 1, ())
    for one in (seen, sent, replace(seen, lost=0, problems=()), replace(seen, number=1, events=7)):
        matrix.keep(one, 1)
    assert [(one.lost, one.events) for one in matrix.read_record().values() if isinstance(one, runner.Outcome)] == [
        (1, 7),
        (0, 5),
    ]
    page = matrix.PATH.read_text()
    assert "| 5 | 0 | 0 | 0 | 0 | 1.0 s | held |" in page
    assert "| an alert | before | SQLite | 1 | held |" in page


def test_a_page_shows_a_scenario_that_failed() -> None:
    failed = runner.Outcome(
        number=1, store="sqlite", events=5, lost=2, twice=0, duplicates=0, parked=0, seconds=1.0, problems=("2 lost",)
    )
    assert "| 5 | 2 | 0 | 0 | 0 | 1.0 s | 2 lost |" in matrix.page([failed], [], 1)
