"""`python -m tests.mutations`: mutated messages and commands by the hundred thousand, into docs/faults.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from leeward.runtime import local_broker
from tests.conftest import STORES
from tests.faults import matrix
from tests.mutations import record
from tests.mutations.storm import Storm, Tally
from tests.support import postgresql
from tests.support.system import whole_system

AT_ONCE = 10_000
"""After so many what was seen is written down, so that a run may be ended at any time and goes on from there."""


def main() -> int:
    options = read_options()
    tally = record.read().get(options.store) or Tally(options.store, options.seed)
    until = time.monotonic() + 60 * options.minutes
    with (
        tempfile.TemporaryDirectory(prefix="leeward-mutations-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        node = local_broker.start(Path(folder) / "broker")
        stack.callback(node.stop)
        binaries = postgresql.find_binaries() if options.store == "postgresql" else None
        server = stack.enter_context(postgresql.server(binaries)) if binaries else None
        system = stack.enter_context(whole_system(node, Path(folder) / "var", name="mutations", server=server))
        storm = Storm(system, tally)
        while tally.sent < options.count and time.monotonic() < until:
            storm.run(min(AT_ONCE, options.count - tally.sent))
            tally.on = datetime.now(UTC).date().isoformat()
            record.keep(tally)
            matrix.write_page()
            say(tally)
    return 1 if tally.problems() else 0


def say(tally: Tally) -> None:
    rate, problems = tally.sent / tally.seconds, "; ".join(tally.problems()) or "held"
    sys.stdout.write(f"{tally.sent:9,} sent, {rate:.0f}/s, p99 {tally.p99:.0f} ms: {problems}\n")
    sys.stdout.flush()


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--count", type=int, default=1_000_000, help="how many in all, with those of earlier runs")
    parser.add_argument("--minutes", type=float, default=1e6, help="end after so long; the next run goes on from there")
    parser.add_argument("--seed", type=int, default=matrix.SEED)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
