"""A day's broker outage: how fast a full outbox drains, and in how much memory."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import MetaData, create_engine

from bench.contestants import ORM, Job, jobs
from bench.core.bus import Bus, connected, wait_for
from bench.core.lab import Lab, rows_in
from bench.core.plan import Plan
from bench.core.processes import launch, rss_mb, stop
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.trial import Trial, running
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table
from bench.report.svg import Line, lines
from chassis.store.tables import Row, chassis_tables
from contracts.envelope import Envelope, source_of, to_headers

NAME = "relay"
TITLE = "After a day without a broker"
WANTED = 5_000
MOST_GROWTH_MB = 30.0
CHUNK = 5_000
SAMPLE_SECONDS = 0.5
OUTAGE = timedelta(days=1)


@dataclass(frozen=True)
class Drained:
    """One outbox from the first event at the independent queue to the last; memory in megabytes."""

    round: int
    store: str
    rows: int
    seconds: float
    rss_first: float
    rss_most: float
    arrived: int
    duplicates: int
    rows_left: int

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


@dataclass(frozen=True)
class Sample:
    """How it went."""

    store: str
    second: float
    arrived: int
    rss_mb: float


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    drained: list[Drained] = []
    samples: list[Sample] = []
    with connected(lab.amqp_uri) as bus:

        def one(number: int, store: str) -> None:
            done, seen = drain_outbox(lab, bus, number, store, plan.outbox_rows)
            drained.append(done)
            samples.extend(seen)
            results.save(NAME, drained)
            results.save("relay-samples", samples)
            lab.say(f"{store}: {done.rate:,.0f} events/s, {done.rss_most:.0f} MB at most, {done.duplicates} twice")

        return interleave(lab.stores, 1, one, lab.say)


def drain_outbox(lab: Lab, bus: Bus, number: int, store: str, rows: int) -> tuple[Drained, list[Sample]]:
    """Fills the outbox of a service that is down, starts it, and watches until all has arrived. Raises TooSlow."""
    with running(lab, bus, ORM, store) as trial, ExitStack() as stack:
        stop(trial.processes.pop())
        fill_outbox(trial.database_url, rows)
        environment = ORM.environment(lab.amqp_uri, trial.database_url)
        trial.processes.append(launch(ORM.command, environment, lab.log(ORM.name)))
        stack.callback(stop, trial.processes[-1])
        began = trial.wait_for_followups(1)
        samples, ended = _watch(trial, began, rows)
        arrived = bus.take_all(ORM.followups.name, bus.depth(ORM.followups.name))
        rows_left = rows_in(trial.database_url, "outbox")
    different = len(set(arrived))
    done = Drained(
        round=number,
        store=store,
        rows=rows,
        seconds=ended - began,
        rss_first=samples[0].rss_mb,
        rss_most=max(sample.rss_mb for sample in samples),
        arrived=different,
        duplicates=len(arrived) - different,
        rows_left=rows_left,
    )
    return done, samples


def fill_outbox(database_url: str, count: int) -> None:
    """Writes what a service would have emitted over a day, as if the broker had been away."""
    engine, outbox = create_engine(database_url), chassis_tables(MetaData()).outbox
    began = datetime.now(UTC) - OUTAGE
    rows = (_row(job, began + OUTAGE * number / count) for number, job in enumerate(jobs(count)))
    with engine.begin() as connection:
        while chunk := list(islice(rows, CHUNK)):
            connection.execute(outbox.insert(), chunk)
    engine.dispose()


def _row(job: Job, at: datetime) -> Row:
    envelope = Envelope(
        id=uuid_utils.compat.uuid7(),
        source=source_of("bench"),
        type="AttendanceRecorded",
        time=at,
        subject=job["attendance_id"],
        sequence=1,
        dataschema="urn:leeward:bench:AttendanceRecorded:1",
        correlation_id=UUID(job["attendance_id"]),
        causation_id=UUID(job["attendance_id"]),
    )
    return {
        "id": envelope.id,
        "exchange": "bench.events",
        "routing_key": envelope.type,
        "headers": to_headers(envelope),
        "body": json.dumps(job),
        "created_at": at,
    }


def _watch(trial: Trial, began: float, rows: int) -> tuple[list[Sample], float]:
    samples: list[Sample] = []

    def over() -> bool:
        trial.check_alive()
        arrived = trial.bus.depth(trial.contestant.followups.name)
        now = time.monotonic() - began
        if not samples or now - samples[-1].second >= SAMPLE_SECONDS:
            samples.append(Sample(trial.store, now, arrived, rss_mb(trial.processes[0].pid)))
        return arrived >= rows

    return samples, wait_for(over, f"an outbox of {rows} to be drained", every=0.05, within=60 + rows / 500)


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    drained, samples = results.load(NAME, Drained), results.load("relay-samples", Sample)
    chapter.add(
        "Rows of about 600 bytes are written straight into a service's outbox, as if the broker had been away for a "
        "day; then the service is started. Counted is what reaches an independent quorum queue, from the first event "
        "to the last."
    )
    rows = [
        (
            STORE_NAMES[one.store],
            f"{one.rows:,}",
            f"{one.rate:,.0f}",
            f"{one.rss_first:.0f}",
            f"{one.rss_most:.0f}",
            f"{one.rows - one.arrived:,}",
            f"{one.duplicates:,}",
        )
        for one in drained
    ]
    headings = ("store", "outbox rows", "events/s", "MB at the start", "MB at most", "lost", "twice on the wire")
    chapter.add(table(headings, rows))
    for store in ("sqlite", "postgresql"):
        chapter.targets += _targets(store, [one for one in drained if one.store == store])
    if samples:
        title = "Memory while the outbox drains"
        drawn = [
            Line(STORE_NAMES[store], [(one.second, one.rss_mb) for one in samples if one.store == store])
            for store in sorted({one.store for one in samples})
        ]
        chapter.add_chart("relay-memory", title, lines(title, "seconds", "resident memory, MB", drawn))
    return chapter


def _targets(store: str, drained: list[Drained]) -> list[Target]:
    speed, memory = f"Outbox after an outage, {STORE_NAMES[store]}", f"Memory meanwhile, {STORE_NAMES[store]}"
    if not drained:
        return [not_measured(speed, f"≥ {WANTED:,}/s"), not_measured(memory, "flat")]
    rate = min(one.rate for one in drained)
    growth = max(one.rss_most - one.rss_first for one in drained)
    rows = max(one.rows for one in drained)
    return [
        Target(speed, f"≥ {WANTED:,}/s", f"{rate:,.0f}/s over {rows:,} rows", rate >= WANTED),
        Target(memory, f"flat (≤ {MOST_GROWTH_MB:g} MB more)", f"{growth:+.0f} MB", growth <= MOST_GROWTH_MB),
    ]
