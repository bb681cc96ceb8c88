"""Killed again and again in the middle of its work: what is lost, and what goes over the wire twice."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import mean

from bench.contestants import ORM
from bench.core.bus import Bus, connected
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import launch, stop
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.trial import Trial, running
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table

NAME = "kills"
TITLE = "Duplicates on the wire after a kill"
WANTED = 100


@dataclass(frozen=True)
class Kill:
    """What followed one kill. `duplicates` are follow-up events that were in the queue already."""

    store: str
    kill: int
    after_events: int
    duplicates: int


@dataclass(frozen=True)
class Outcome:
    """A whole run: how many of its events have no row or no follow-up event at the end."""

    store: str
    events: int
    kills: int
    rows_lost: int
    rows_too_many: int
    followups_lost: int
    duplicates: int


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    kills: list[Kill] = []
    outcomes: list[Outcome] = []
    with connected(lab.amqp_uri) as bus:

        def one(number: int, store: str) -> None:
            outcome, found = _run(lab, bus, store, plan.kill_events, plan.kills)
            outcomes.append(outcome)
            kills.extend(found)
            results.save(NAME, kills)
            results.save("kills-outcome", outcomes)
            lab.say(f"{outcome}")

        return interleave(lab.stores, 1, one, lab.say)


def _run(lab: Lab, bus: Bus, store: str, events: int, kills: int) -> tuple[Outcome, list[Kill]]:
    with running(lab, bus, ORM, store) as trial, ExitStack() as stack:
        stop(trial.processes.pop())
        trial.publish(events)
        depths = []
        for kill in range(1, kills + 1):
            _start(trial, stack)
            trial.wait_for_followups(events * kill // (kills + 1))
            trial.processes[0].kill()
            trial.processes.pop().wait()
            depths.append(_settled_depth(trial))
        _start(trial, stack)
        followups = _all_followups(trial, events)
        rows = trial.rows() - trial.rows_before
    different = len(set(followups))
    return (
        Outcome(
            store=store,
            events=events,
            kills=kills,
            rows_lost=max(0, events - rows),
            rows_too_many=max(0, rows - events),
            followups_lost=events - different,
            duplicates=len(followups) - different,
        ),
        [
            Kill(store, number, depths[number - 1], count)
            for number, count in duplicates_after(followups, depths).items()
        ],
    )


def _start(trial: Trial, stack: ExitStack) -> None:
    environment = ORM.environment(trial.lab.amqp_uri, trial.database_url)
    trial.processes.append(launch(ORM.command, environment, trial.lab.log(ORM.name)))
    stack.callback(stop, trial.processes[-1])


def _settled_depth(trial: Trial) -> int:
    """How many follow-ups there are when the broker has taken in all that the killed process had sent."""
    queue = trial.contestant.followups.name
    depth, before = trial.bus.depth(queue), -1
    while depth != before:
        trial.bus.pump(0.1)
        depth, before = trial.bus.depth(queue), depth
    return depth


def _all_followups(trial: Trial, events: int) -> list[str]:
    """Everything in the queue once the service has nothing left to do, in order."""
    queue = trial.contestant.followups.name
    trial.wait_for_followups(events)
    followups: list[str] = []
    quiet = 0
    while quiet < 2 or (len(set(followups)) < events and quiet < 20):
        found = trial.bus.depth(queue)
        followups += trial.bus.take_all(queue, found)
        quiet = 0 if found else quiet + 1
        trial.bus.pump(0.25)
    return followups


def duplicates_after(followups: list[str], depths: list[int]) -> dict[int, int]:
    """For each kill, by number from 1, how many follow-ups came again because of it: it was the first after they had
    been published. (On PostgreSQL they come again after some seconds, in which the next kill may have been done.)

    `depths` says how many follow-ups lay in the queue when the n-th kill had been done.
    """
    published: dict[str, int] = {}
    again: Counter[int] = Counter()
    for place, one in enumerate(followups):
        if one in published:
            again[min(len(depths), 1 + sum(depth <= published[one] for depth in depths))] += 1
        published[one] = place
    return {kill: again[kill] for kill in range(1, len(depths) + 1)}


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    kills, outcomes = results.load(NAME, Kill), results.load("kills-outcome", Outcome)
    chapter.add(
        "The service works off a backlog and is killed with SIGKILL again and again. What it had published and not yet "
        "struck out of its outbox goes out again; a reader's inbox drops it. Rows and follow-ups are counted by "
        "identifier at the end."
    )
    rows = [_row(one, [kill.duplicates for kill in kills if kill.store == one.store]) for one in outcomes]
    headings = ("store", "events", "kills", "rows lost", "rows twice", "events lost", "duplicates per kill", "at most")
    chapter.add(table(headings, rows))
    for store in ("sqlite", "postgresql"):
        outcome = next((one for one in outcomes if one.store == store), None)
        chapter.targets += _targets(store, outcome, [kill.duplicates for kill in kills if kill.store == store])
    return chapter


def _row(one: Outcome, duplicates: list[int]) -> tuple[str, ...]:
    counts = (one.events, one.kills, one.rows_lost, one.rows_too_many, one.followups_lost)
    return (
        STORE_NAMES[one.store],
        *(f"{count:,}" for count in counts),
        f"{mean(duplicates):.0f}",
        str(max(duplicates)),
    )


def _targets(store: str, outcome: Outcome | None, duplicates: list[int]) -> list[Target]:
    lost = f"Lost or done twice when killed, {STORE_NAMES[store]}"
    again = f"Duplicates on the wire per kill, {STORE_NAMES[store]}"
    if outcome is None:
        return [not_measured(lost, "0"), not_measured(again, f"< {WANTED}")]
    count = outcome.rows_lost + outcome.rows_too_many + outcome.followups_lost
    measured = f"{mean(duplicates):.0f} on average, {max(duplicates)} at most"
    return [
        Target(lost, "0", str(count), count == 0),
        Target(again, f"< {WANTED}", measured, max(duplicates) < WANTED),
    ]
