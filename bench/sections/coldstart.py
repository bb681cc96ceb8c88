"""How long `leeward up` takes to be ready, the second time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.core.bus import wait_for
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import launch, stop
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.report.chapter import Chapter, Target, not_measured, spread, table

NAME = "coldstart"
TITLE = "Cold start"
READY_SECONDS, STOP_SECONDS = 120.0, 60.0
PRIVATE, GIVEN = "private broker", "broker running"
WANTED_SECONDS = {PRIVATE: 8.0, GIVEN: 3.0}


@dataclass(frozen=True)
class Start:
    """From the command to the moment every service answers."""

    round: int
    broker: str
    seconds: float


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    starts: list[Start] = []
    given = lab.virtual_host("coldstart")
    workspaces = {kind: lab.folder / f"up-{kind.split()[0]}" for kind in WANTED_SECONDS}

    def up(kind: str) -> float:
        environment = {"AMQP_URI": given} if kind == GIVEN else {"AMQP_URI": ""}
        return _up(workspaces[kind], environment, lab.log(f"up-{kind.split()[0]}"))

    def one(number: int, kind: str) -> None:
        starts.append(Start(number, kind, up(kind)))
        results.save(NAME, starts)
        lab.say(f"round {number}: {kind}: {starts[-1].seconds:.2f} s")

    def first(number: int, kind: str) -> None:
        up(kind)  # makes keys and databases, and isn't counted

    problems = interleave(tuple(WANTED_SECONDS), 1, first, lab.say)
    return problems + interleave(tuple(WANTED_SECONDS), plan.cold_starts, one, lab.say)


def _up(folder: Path, environment: dict[str, str], log: Path) -> float:
    run_file = folder / "run.json"
    command = (sys.executable, "-m", "leeward.cli", "up", "--var", str(folder))
    began = time.monotonic()
    process = launch(command, environment, log)

    def ready() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"leeward up ended by itself; see {log.name}")
        return run_file.exists() and json.loads(run_file.read_text())["pid"] == process.pid

    try:
        return wait_for(ready, "leeward up to be ready", every=0.005, within=READY_SECONDS) - began
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        stop(process)


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    starts = results.load(NAME, Start)
    chapter.add(
        "`leeward up` on a folder that has run before: from the command to the moment all five services answer, either "
        "with a private RabbitMQ node that it starts itself or with one that runs already (`AMQP_URI`)."
    )
    rows = []
    for kind, wanted in WANTED_SECONDS.items():
        seconds = [start.seconds for start in starts if start.broker == kind]
        label, target = f"Cold start, {kind}", f"≤ {wanted:g} s"
        if not seconds:
            chapter.targets.append(not_measured(label, target))
            continue
        rows.append((kind, spread(seconds)))
        chapter.targets.append(Target(label, target, f"{median(seconds):.2f} s", median(seconds) <= wanted))
    chapter.add(table(("", "seconds"), rows))
    return chapter
