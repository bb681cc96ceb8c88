"""`python -m bench`: measures, and writes docs/benchmarks.md from all that was ever measured.

    python -m bench run [--only throughput,latency] [--rounds 5] [--quick | --full] [--out docs]
    python -m bench report [--out docs]

A section's results are kept in files of its own, so that a later run of one doesn't lose the others. Exit code 1 if a
section could not be measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.core import plan as plans
from bench.core.lab import AlreadyMeasuring, Lab, open_lab
from bench.core.plan import Plan
from bench.core.processes import ROOT
from bench.core.results import Results
from bench.core.rounds import attempt
from bench.report.page import write_page
from bench.sections.all import SECTIONS
from leeward.runtime.local_broker import BrokerUnavailable

_began = time.monotonic()


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    results = Results(options.out / "benchmarks")
    well = True
    if options.do == "run":
        chosen = options.only.split(",") if options.only else list(SECTIONS)
        try:
            well = run(chosen, _plan(options), results)
        except (AlreadyMeasuring, BrokerUnavailable) as error:
            say(str(error))
            return 1
    write_page(options.out, results)
    say(f"wrote {options.out / 'benchmarks.md'}")
    return 0 if well else 1


def run(names: list[str], plan: Plan, results: Results) -> bool:
    """Measures these sections, one after the other, in one lab. Whether each could be."""
    with open_lab(say) as lab:
        machine = lab.describe()
        done = [_run_section(lab, name, plan, results, machine) for name in names]
        return all(done)


def _run_section(lab: Lab, name: str, plan: Plan, results: Results, machine: dict[str, Any]) -> bool:
    say(f"== {SECTIONS[name].TITLE}")
    began = time.monotonic()
    problems: list[str] = []
    failure = attempt(lambda: problems.extend(SECTIONS[name].measure(lab, plan, results)))
    if failure:
        say(f"{name}: {failure}")
        problems.append(failure)
    note = {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "seconds": round(time.monotonic() - began),
        "problems": problems,
        "machine": machine,
    }
    results.save_note(name, note)
    return not failure


def say(what: str) -> None:
    """Progress, with the time since the start."""
    minutes, seconds = divmod(int(time.monotonic() - _began), 60)
    sys.stdout.write(f"{minutes:3}:{seconds:02}  {what}\n")
    sys.stdout.flush()


def _plan(options: argparse.Namespace) -> Plan:
    plan = plans.QUICK if options.quick else plans.FULL if options.full else plans.DEFAULT
    if options.rounds:
        plan = replace(plan, rounds=options.rounds, few_rounds=min(options.rounds, plan.few_rounds))
    return plan


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("do", nargs="?", choices=("run", "report"), default="run")
    parser.add_argument("--only", metavar="SECTIONS", help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--rounds", type=int, help="how many rounds, instead of the plan's")
    parser.add_argument("--quick", action="store_true", help="a look of some minutes, too short to trust")
    parser.add_argument("--full", action="store_true", help="with backlogs of a million")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="the folder of benchmarks.md")
    options = parser.parse_args(arguments)
    unknown = set(options.only.split(",")) - set(SECTIONS) if options.only else set()
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
