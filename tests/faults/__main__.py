"""`python -m tests.faults`: every fault on both stores, into docs/faults.md; see `--help`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.faults import matrix, runner
from tests.faults.scenario import SCENARIOS, STORES, Scenario
from tests.faults.stage import Outcome

SEED = 20261121


def main() -> int:
    options = read_options()
    chosen = [SCENARIOS[number] for number in options.only] or list(sorted_scenarios())
    sabotaged = options.sabotage is not None
    if sabotaged:
        chosen = [SCENARIOS[number] for number in options.sabotage] or list(sorted_scenarios())
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="leeward-faults-", ignore_cleanup_errors=True) as folder:
        short = options.short or sabotaged
        with runner.running(options.folder or Path(folder), seed=options.seed, short=short) as running:
            for scenario in chosen:
                for store in stores_of(scenario, options.store, running, short=short):
                    play = running.run_sabotaged if sabotaged else running.run
                    try:
                        outcomes.append(play(scenario, store))
                    except runner.Unavailable as reason:
                        say(f"{scenario.number:2} {store:10} not run: {reason}")
                        continue
                    say(matrix.progress(outcomes[-1], scenario))
    if options.json:
        say(json.dumps([asdict(one) for one in outcomes]))
    if sabotaged:
        return 0 if all(one.problems for one in outcomes) else 1
    if len(chosen) == len(SCENARIOS) and not (options.short or options.store):
        matrix.write(outcomes, options.seed)
    return 1 if any(one.problems for one in outcomes) else 0


def sorted_scenarios() -> list[Scenario]:
    return [SCENARIOS[number] for number in sorted(SCENARIOS)]


def stores_of(scenario: Scenario, wanted: str | None, running: runner.Runner, *, short: bool) -> list[str]:
    possible = scenario.stores(short=short and not wanted)
    return [store for store in possible if store in running.ground.stores and wanted in (None, store)]


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", type=int, nargs="+", default=[], metavar="N", help="these faults alone")
    parser.add_argument("--store", choices=STORES, help="on this store alone")
    parser.add_argument("--short", action="store_true", help="the short forms, as in `make test`")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, help="where to keep logs and databases; otherwise nothing is kept")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON at the end")
    parser.add_argument(
        "--sabotage",
        type=int,
        nargs="*",
        metavar="N",
        help="break what these faults (or all) put to the test, and see each fail: exits 0 if every one was noticed",
    )
    return parser.parse_args()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
