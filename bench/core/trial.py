"""One contestant at work: started, warmed up, given a backlog, measured, and checked for what it promises."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.contestants import Contestant, jobs
from bench.core.bus import Bus, wait_for
from bench.core.lab import Lab, rows_in
from bench.core.processes import Process, cpu_seconds, launch, paused, stop

READY_SECONDS = 30.0
DRAIN_SECONDS = 300.0
WARM_UP = 50
POLL_SECONDS = 0.02


class ContestantDied(Exception):
    """A contestant's process ended by itself; the message holds the last lines that it wrote."""


@dataclass
class Trial:
    """A contestant that runs, ready for work."""

    lab: Lab
    bus: Bus
    contestant: Contestant
    store: str
    database_url: str
    processes: list[Process]
    rows_before: int = 0

    def publish(self, count: int) -> None:
        self.bus.publish(self.contestant.wire(job) for job in jobs(count))

    def wait_for_followups(self, count: int, within: float = DRAIN_SECONDS) -> float:
        """Waits until so many follow-up events lie in their queue, and returns when that was. Raises TooSlow."""
        queue = self.contestant.followups.name

        def arrived() -> bool:
            self.check_alive()
            return self.bus.depth(queue) >= count

        return wait_for(arrived, f"{count} follow-ups of {self.contestant.name}", every=POLL_SECONDS, within=within)

    def rows(self) -> int:
        return rows_in(self.database_url, "attendance") if self.contestant.has_database else 0

    def check_alive(self) -> None:
        """Raises ContestantDied."""
        if any(process.poll() is not None for process in self.processes):
            log = self.lab.log(self.contestant.name)
            last = log.read_text(errors="replace").splitlines()[-5:]
            raise ContestantDied(f"{self.contestant.name} ended by itself: " + " | ".join(last))


@dataclass(frozen=True)
class Cpu:
    """CPU seconds of the contestant, the database server and the broker."""

    process: float
    database: float
    broker: float

    def since(self, before: Cpu) -> Cpu:
        return Cpu(self.process - before.process, self.database - before.database, self.broker - before.broker)


def cpu_of(trial: Trial) -> Cpu:
    database = trial.lab.database_pid if trial.store == "postgresql" else None
    return Cpu(
        process=cpu_seconds(*(process.pid for process in trial.processes)),
        database=cpu_seconds(database) if database else 0.0,
        broker=cpu_seconds(trial.lab.broker_pid),
    )


@dataclass(frozen=True)
class Drained:
    """A backlog that was worked off."""

    seconds: float
    cpu: Cpu
    rows: int
    followups: int
    duplicates: int

    def problem(self, events: int, *, rows: bool) -> str:
        """What makes the round invalid, in words; empty if nothing does."""
        if rows and self.rows != events:
            return f"{self.rows} rows for {events} events"
        if self.followups != events:
            return f"{self.followups} different follow-ups for {events} events"
        return ""


@contextmanager
def running(lab: Lab, bus: Bus, contestant: Contestant, store: str, *, replicas: int = 1) -> Iterator[Trial]:
    """The contestant, on a new database and empty queues, warmed up with a few events."""
    prepare_queues(bus, contestant)
    database_url = lab.database(store, contestant.name) if contestant.has_database else ""
    environment = contestant.environment(lab.amqp_uri, database_url)
    trial = Trial(lab, bus, contestant, store, database_url, [])
    with ExitStack() as stack:
        if contestant.has_database:
            stack.callback(lab.drop, database_url)
            make_tables(lab, contestant, environment)
        for _ in range(replicas):
            start(trial, environment)
            stack.callback(stop, trial.processes[-1])
        wait_until_ready(trial)
        warm_up(trial)
        yield trial


def prepare_queues(bus: Bus, contestant: Contestant) -> None:
    followups = contestant.followups
    for queue in (contestant.input_queue, followups.name):
        bus.delete_queue(queue)
    if not followups.made_by_contestant:
        bus.make_queue(followups.name, exchange=followups.exchange, routing_key=followups.routing_key)


def make_tables(lab: Lab, contestant: Contestant, environment: dict[str, str]) -> None:
    """Raises CalledProcessError."""
    made = launch(contestant.preparation(), environment, lab.log(contestant.name))
    if made.wait():
        raise subprocess.CalledProcessError(made.returncode, made.args)


def start(trial: Trial, environment: dict[str, str]) -> None:
    contestant = trial.contestant
    trial.processes.append(launch(contestant.command, environment, trial.lab.log(contestant.name)))


def wait_until_ready(trial: Trial) -> None:
    """Until every process has its consumer on the queue. Raises TooSlow, or ContestantDied."""
    wanted = trial.contestant.consumers * len(trial.processes)

    def consuming() -> bool:
        trial.check_alive()
        return trial.bus.consumers(trial.contestant.input_queue) >= wanted

    wait_for(consuming, f"{trial.contestant.name} consumes", every=0.05, within=READY_SECONDS)


def warm_up(trial: Trial) -> None:
    """A few events go all the way before anything is measured: imports, connections, caches."""
    trial.publish(WARM_UP)
    trial.wait_for_followups(WARM_UP, within=READY_SECONDS)
    trial.bus.purge(trial.contestant.followups.name)
    trial.rows_before = trial.rows()


def drain(trial: Trial, events: int) -> Drained:
    """Has so many events waiting, lets the contestant go, and measures until the last follow-up event is there.

    The backlog is published while the contestant stands still. The clock starts when it goes on, and stops when the
    independent queue holds as many follow-ups as there were events.
    """
    with paused(*trial.processes):
        trial.publish(events)
        before = cpu_of(trial)
        began = time.monotonic()
    ended = trial.wait_for_followups(events)
    cpu = cpu_of(trial).since(before)
    return check(trial, ended - began, cpu)


def check(trial: Trial, seconds: float, cpu: Cpu) -> Drained:
    """Counts rows at the database and follow-ups at the queue, each by its identifier."""
    queue = trial.contestant.followups.name
    followups = trial.bus.take_all(queue, trial.bus.depth(queue))
    different = len(set(followups))
    return Drained(seconds, cpu, trial.rows() - trial.rows_before, different, len(followups) - different)
