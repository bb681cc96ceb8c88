"""Replicas of one service on one database, and what an event costs as the backlog grows."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench.contestants import ORM
from bench.core.bus import Bus, connected, wait_for
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import launch, rss_mb, stop
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.trial import Trial, check, cpu_of, drain, running
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, spread, table
from bench.report.svg import Line, lines

NAME = "scaling"
TITLE = "Replicas and backlogs"
REPLICAS = (1, 2, 4)
FLAT = 1.25
"""A cost per event that grows by less than a quarter over a hundredfold backlog is called flat."""

SAMPLE_SECONDS = 0.25
CPU_MICROSECONDS = 1e6
MOST_GROWTH_MB = 30.0


@dataclass(frozen=True)
class Replicated:
    """So many replicas working off one backlog on PostgreSQL. CPU in seconds, of all replicas together."""

    round: int
    replicas: int
    events: int
    seconds: float
    cpu_process: float
    cpu_database: float
    cpu_broker: float
    duplicates: int
    problem: str


@dataclass(frozen=True)
class Backlog:
    """One replica started before a backlog that was there already; memory in megabytes."""

    round: int
    store: str
    events: int
    seconds: float
    cpu_process: float
    cpu_broker: float
    rss_before: float
    rss_most: float
    rss_after: float
    problem: str

    @property
    def microseconds(self) -> float:
        return self.cpu_process / self.events * CPU_MICROSECONDS


@dataclass(frozen=True)
class Sample:
    """Memory during the largest backlog."""

    store: str
    events: int
    second: float
    rss_mb: float


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    replicated: list[Replicated] = []
    backlogs: list[Backlog] = []
    samples: list[Sample] = []
    with connected(lab.amqp_uri) as bus:

        def replicate(number: int, replicas: int) -> None:
            replicated.append(_replicate(lab, bus, number, replicas, plan.scaling_events))
            results.save(NAME, replicated)
            lab.say(
                f"round {number}: {replicas} replicas: {plan.scaling_events / replicated[-1].seconds:,.0f} events/s"
            )

        def heap(number: int, entry: tuple[str, int]) -> None:
            done, seen = _heap(lab, bus, number, *entry)
            backlogs.append(done)
            samples.extend(seen)
            results.save("backlog", backlogs)
            results.save("backlog-memory", samples)
            told = f"{done.microseconds:.0f} µs, {done.rss_most:.0f} MB {done.problem}"
            lab.say(f"{entry[0]}, backlog of {done.events}: {told}")

        problems = interleave(REPLICAS, plan.few_rounds, replicate, lab.say) if "postgresql" in lab.stores else []
        heaps = [(store, events) for store in lab.stores for events in plan.backlogs]
        problems += interleave(heaps, 1, heap, lab.say)
    return problems


def _replicate(lab: Lab, bus: Bus, number: int, replicas: int, events: int) -> Replicated:
    with running(lab, bus, ORM, "postgresql", replicas=replicas) as trial:
        done = drain(trial, events)
    return Replicated(
        round=number,
        replicas=replicas,
        events=events,
        seconds=done.seconds,
        cpu_process=done.cpu.process,
        cpu_database=done.cpu.database,
        cpu_broker=done.cpu.broker,
        duplicates=done.duplicates,
        problem=done.problem(events, rows=True),
    )


def _heap(lab: Lab, bus: Bus, number: int, store: str, events: int) -> tuple[Backlog, list[Sample]]:
    """Publishes while the service is away, starts it, and measures from its first follow-up event to its last."""
    with running(lab, bus, ORM, store) as trial, ExitStack() as stack:
        stop(trial.processes.pop())
        trial.publish(events)
        environment = ORM.environment(lab.amqp_uri, trial.database_url)
        trial.processes.append(launch(ORM.command, environment, lab.log(ORM.name)))
        stack.callback(stop, trial.processes[-1])
        began = trial.wait_for_followups(1)
        before, rss_before = cpu_of(trial), rss_mb(trial.processes[0].pid)
        samples, ended = _watch(trial, began, events)
        cpu = cpu_of(trial).since(before)
        done = check(trial, ended - began, cpu)
    rss = [sample.rss_mb for sample in samples] or [rss_before]
    return Backlog(
        round=number,
        store=store,
        events=events,
        seconds=done.seconds,
        cpu_process=cpu.process,
        cpu_broker=cpu.broker,
        rss_before=rss_before,
        rss_most=max(rss),
        rss_after=rss[-1],
        problem=done.problem(events, rows=True),
    ), samples


def _watch(trial: Trial, began: float, events: int) -> tuple[list[Sample], float]:
    samples: list[Sample] = []

    def over() -> bool:
        trial.check_alive()
        now = time.monotonic() - began
        if not samples or now - samples[-1].second >= SAMPLE_SECONDS:
            samples.append(Sample(trial.store, events, now, rss_mb(trial.processes[0].pid)))
        return trial.bus.depth(trial.contestant.followups.name) >= events

    ended = wait_for(over, f"a backlog of {events} to be worked off", every=0.02, within=60 + events / 200)
    return samples, ended


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    _describe_replicas(chapter, [one for one in results.load(NAME, Replicated) if not one.problem])
    backlogs = [one for one in results.load("backlog", Backlog) if not one.problem]
    _describe_backlogs(chapter, backlogs)
    samples = results.load("backlog-memory", Sample)
    largest = max((one.events for one in samples), default=0)
    drawn = [
        Line(
            STORE_NAMES[store],
            [(one.second, one.rss_mb) for one in samples if one.store == store and one.events == largest],
        )
        for store in sorted({one.store for one in samples})
    ]
    if drawn:
        title = f"Memory while a backlog of {largest:,} is worked off"
        chapter.add_chart("backlog-memory", title, lines(title, "seconds", "resident memory, MB", drawn))
    return chapter


def _describe_replicas(chapter: Chapter, rounds: list[Replicated]) -> None:
    by_count = {count: [one for one in rounds if one.replicas == count] for count in REPLICAS}
    rows = [
        (
            str(count),
            spread([one.events / one.seconds for one in found]),
            f"{median(one.cpu_process / one.events for one in found) * CPU_MICROSECONDS:.0f}",
            f"{median(one.cpu_database / one.events for one in found) * CPU_MICROSECONDS:.0f}",
            f"{median(one.cpu_broker / one.events for one in found) * CPU_MICROSECONDS:.0f}",
        )
        for count, found in by_count.items()
        if found
    ]
    chapter.add(
        "Replicas of the ORM service that share one PostgreSQL database and one queue. The machine's cores are shared "
        "with the broker and the database, so more replicas than cores can't add speed; they must not take any away."
    )
    headings = ("replicas", "events/s", "µs of CPU per event", "database's µs", "broker's µs")
    chapter.add(table(headings, rows))


def _describe_backlogs(chapter: Chapter, backlogs: list[Backlog]) -> None:
    rows = [
        (
            STORE_NAMES[one.store],
            f"{one.events:,}",
            f"{one.events / one.seconds:,.0f}",
            f"{one.microseconds:.0f}",
            f"{one.cpu_broker / one.events * CPU_MICROSECONDS:.0f}",
            f"{one.rss_before:.0f}",
            f"{one.rss_most:.0f}",
        )
        for one in backlogs
    ]
    headings = ("store", "backlog", "events/s", "µs of CPU per event", "broker's µs", "MB at the start", "MB at most")
    chapter.add("A backlog that lay there before the service was started, from its first follow-up event to its last:")
    chapter.add(table(headings, rows, left=1))
    for store in ("sqlite", "postgresql"):
        chapter.targets += _targets(store, [one for one in backlogs if one.store == store])


def _targets(store: str, backlogs: list[Backlog]) -> list[Target]:
    cost, memory = f"Cost per event as the backlog grows, {STORE_NAMES[store]}", f"Memory in it, {STORE_NAMES[store]}"
    # A thousand events are over before the process has warmed up.
    longer = sorted((one for one in backlogs if one.events > 1_000), key=lambda one: one.events)
    if len(longer) < 2:
        return [not_measured(cost, "flat"), not_measured(memory, "flat")]
    first, last = longer[0], longer[-1]
    growth, more = last.microseconds / first.microseconds, last.rss_most - first.rss_most
    return [
        Target(
            cost,
            f"flat (≤ {FLAT}×)",
            f"{first.microseconds:.0f} µs at {first.events:,}, {last.microseconds:.0f} µs at {last.events:,}",
            growth <= FLAT,
        ),
        Target(
            memory,
            f"flat (≤ {MOST_GROWTH_MB:g} MB more)",
            f"{first.rss_most:.0f} MB at {first.events:,}, {last.rss_most:.0f} MB at {last.events:,}",
            more <= MOST_GROWTH_MB,
        ),
    ]
