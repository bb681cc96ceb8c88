"""How long an event takes from in to out at a hundred a second, beside stock nameko."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from bench.contestants import ALL_OURS, BY_NAME, NAMEKO, ORM, Contestant, jobs
from bench.core.bus import Bus, attendance_of, connected
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.statistics import percentile, ratios
from bench.core.trial import Trial, running, warm_up
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, spread, table

NAME = "latency"
TITLE = "Latency at 100 events a second"
EVENTS_PER_SECOND = 100
PATIENCE_SECONDS = 5.0
WANTED = 1.0


@dataclass(frozen=True)
class Round:
    """One contestant in one round; times in milliseconds from publishing the event to receiving its follow-up."""

    round: int
    contestant: str
    store: str
    events: int
    p50_ms: float
    p99_ms: float
    slowest_ms: float
    missing: int


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    rounds: list[Round] = []
    problems: list[str] = []

    def one(number: int, trial: Trial) -> None:
        rounds.append(_round(number, trial, plan.latency_seconds))
        results.save(NAME, rounds)
        last = rounds[-1]
        lab.say(f"round {number}: {last.contestant} on {last.store}: {last.p50_ms:.2f} / {last.p99_ms:.2f} ms")

    with connected(lab.amqp_uri) as bus:
        for store in lab.stores:
            with ExitStack() as stack:
                problems += interleave(_trials(lab, bus, store, stack), plan.rounds, one, lab.say)
    return problems + [
        f"{one.contestant} on {one.store}: {one.missing} never came out" for one in rounds if one.missing
    ]


def _trials(lab: Lab, bus: Bus, store: str, stack: ExitStack) -> list[Trial]:
    """Ours is one service that has both handlers: two at once would share its queue, and each do half of the work."""
    ours = stack.enter_context(running(lab, bus, ORM, store))
    trials = [replace(ours, contestant=contestant) for contestant in ALL_OURS]
    for trial in trials:
        warm_up(trial)
    if lab.has_peers:
        trials.append(stack.enter_context(running(lab, bus, NAMEKO, store)))
    return trials


def _round(number: int, trial: Trial, seconds: float) -> Round:
    taken, missing = _follow(trial, int(seconds * EVENTS_PER_SECOND))
    return Round(
        round=number,
        contestant=trial.contestant.name,
        store=trial.store,
        events=len(taken),
        p50_ms=percentile(taken, 0.5),
        p99_ms=percentile(taken, 0.99),
        slowest_ms=max(taken),
        missing=missing,
    )


def _follow(trial: Trial, events: int) -> tuple[list[float], int]:
    """The milliseconds that each of so many evenly spaced events took, and how many never came out."""
    sent: dict[str, float] = {}
    taken: list[float] = []

    def on_followup(message: Any) -> None:
        at = sent.pop(attendance_of(message), None)
        if at is not None:
            taken.append((time.perf_counter() - at) * 1000)

    tag = trial.bus.listen(trial.contestant.followups.name, on_followup)
    began = time.perf_counter()
    for number, job in enumerate(jobs(events)):
        trial.bus.pump(began + number / EVENTS_PER_SECOND - time.perf_counter())
        message = trial.contestant.wire(job)
        sent[job["attendance_id"]] = time.perf_counter()
        trial.bus.send(message)
    until = time.monotonic() + PATIENCE_SECONDS
    while sent and time.monotonic() < until:
        trial.bus.pump(0.05)
    trial.bus.stop_listening(tag)
    return taken, len(sent)


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    found: dict[tuple[str, str], list[Round]] = defaultdict(list)
    for one in results.load(NAME, Round):
        found[one.store, one.contestant].append(one)
    chapter.add(INTRODUCTION)
    rows = [
        (
            STORE_NAMES[store],
            BY_NAME[name].title,
            spread([one.p50_ms for one in rounds]),
            spread([one.p99_ms for one in rounds]),
            spread([one.slowest_ms for one in rounds]),
        )
        for (store, name), rounds in found.items()
    ]
    chapter.add(table(("store", "contestant", "p50 ms", "p99 ms", "slowest ms"), rows, left=2))
    for store in ("sqlite", "postgresql"):
        theirs = found[store, NAMEKO.name]
        for contestant in ALL_OURS:
            ours = found[store, contestant.name]
            chapter.targets += [_target(contestant, store, which, ours, theirs) for which in ("p50_ms", "p99_ms")]
    return chapter


INTRODUCTION = """\
Evenly spaced events, one every ten milliseconds, timed from the moment before each is published until its follow-up
event has reached an independent consumer; both by the same clock. They take turns. A batch doesn't wait for more
to arrive, so at this rate it is one message. Nameko's handler writes its row by Core."""


def _target(contestant: Contestant, store: str, which: str, ours: list[Round], theirs: list[Round]) -> Target:
    label = f"{contestant.title} on {STORE_NAMES[store]}, latency against stock nameko, {which[:3]}"
    found = ratios({one.round: getattr(one, which) for one in ours}, {one.round: getattr(one, which) for one in theirs})
    if not found:
        return not_measured(label, f"≤ {WANTED}×")
    measured = f"{median(found):.2f}× ({min(found):.2f}–{max(found):.2f})"
    return Target(label, f"≤ {WANTED}×", measured, median(found) <= WANTED)
