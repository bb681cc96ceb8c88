"""`python -m tests.faults`: every fault on both stores, or some, into docs/faults.md; see `--help`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.faults import mail, matrix, runner
from tests.faults.mail import Mailing
from tests.faults.runner import Runner
from tests.faults.scenario import SCENARIOS, STORES, Scenario
from tests.faults.stage import Outcome

SEED = matrix.SEED

Keep = Callable[[Outcome | Mailing], None]


def main() -> int:
    options = read_options()
    with tempfile.TemporaryDirectory(prefix="leeward-faults-", ignore_cleanup_errors=True) as folder:
        short = options.short or options.sabotage is not None
        with runner.running(options.folder or Path(folder), seed=options.seed, short=short) as running:
            if options.sabotage is not None:
                return see_fail(running, options)
            keep = (lambda seen: None) if short else (lambda seen: matrix.keep(seen, options.seed))
            outcomes = [] if options.mail else list(play(running, options, keep))
            mailings = [] if options.only else list(send_mail(running, options.store, keep))
    if options.json:
        say(json.dumps([asdict(one) for one in (*outcomes, *mailings)]))
    return 1 if any(one.problems for one in (*outcomes, *mailings)) else 0


def play(running: Runner, options: argparse.Namespace, keep: Keep) -> Iterator[Outcome]:
    """The outcomes of the scenarios asked for, each told and kept as it comes."""
    for scenario in chosen(options.only):
        for store in stores_of(scenario, options.store, running, short=options.short):
            try:
                outcome = running.run(scenario, store)
            except runner.Unavailable as reason:
                say(f"{scenario.number:2} {store:10} not run: {reason}")
                continue
            say(matrix.progress(outcome, scenario))
            keep(outcome)
            yield outcome


def send_mail(running: Runner, wanted: str | None, keep: Keep) -> Iterator[Mailing]:
    for store in running.ground.stores:
        if wanted in (None, store):
            with mail.opened(running.ground, store) as mailroom:
                for mailing in mail.try_all(mailroom):
                    say(f"   {store:10} {mailing.what}, killed {mailing.when}: {mailing.copies} copies")
                    keep(mailing)
                    yield mailing


def see_fail(running: Runner, options: argparse.Namespace) -> int:
    """Runs the scenarios with a guarantee broken on purpose. 0 if each of them noticed."""
    unnoticed = []
    for scenario in chosen(options.sabotage):
        for store in stores_of(scenario, options.store, running, short=True):
            outcome = running.run_sabotaged(scenario, store)
            say(matrix.progress(outcome, scenario))
            if not outcome.problems:
                unnoticed.append(f"{scenario.number} on {store}")
    say(f"Not noticed: {', '.join(unnoticed) or 'none'}")
    return 1 if unnoticed else 0


def chosen(numbers: Sequence[int]) -> list[Scenario]:
    return [SCENARIOS[number] for number in numbers or sorted(SCENARIOS)]


def stores_of(scenario: Scenario, wanted: str | None, running: runner.Runner, *, short: bool) -> list[str]:
    possible = scenario.stores(short=short and not wanted)
    return [store for store in possible if store in running.ground.stores and wanted in (None, store)]


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", type=int, nargs="+", default=[], metavar="N", help="these faults alone")
    parser.add_argument("--mail", action="store_true", help="what becomes of mail alone")
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
