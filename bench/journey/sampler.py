"""Watches what waits at each service while it works, from a thread of its own so that the driver never stands still.

It looks into the queues and the databases itself: asking a service how it is takes as long as the service is busy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import amqp
from sqlalchemy import Engine, MetaData, create_engine, func, select
from sqlalchemy.exc import OperationalError

from bench.core.bus import Bus, connected
from bench.sections.journey_rows import Depth
from chassis.bus.topology import RETRY_DELAYS_SECONDS
from chassis.store.tables import chassis_tables

EVERY_SECONDS = 0.5
_TABLES = chassis_tables(MetaData())


@dataclass
class Sampler:
    """What was waiting, and when, since it began."""

    amqp_uri: str
    databases: Mapping[str, str]
    store: str
    per_second: float
    depths: list[Depth] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _began: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        engines = {service: create_engine(url) for service, url in self.databases.items()}
        with connected(self.amqp_uri) as bus:
            while not self._over.wait(EVERY_SECONDS):
                with suppress(OSError, amqp.AMQPError, OperationalError):
                    self._look(bus, engines)
        for engine in engines.values():
            engine.dispose()

    def stop(self) -> None:
        self._over.set()

    def _look(self, bus: Bus, engines: Mapping[str, Engine]) -> None:
        second = time.monotonic() - self._began
        for service, engine in engines.items():
            outbox, due = _in_store(engine)
            waiting = {"messages": _at_broker(bus, service), "outbox": outbox, "timers due": due}
            self.depths += [
                Depth(self.store, self.per_second, second, f"{service} {what}", count)
                for what, count in waiting.items()
            ]


def _at_broker(bus: Bus, service: str) -> int:
    """Messages that wait for a service in any queue: its inbox, its retry queues, its commands."""
    retries = (f"{service}.retry.{delay}" for delay in RETRY_DELAYS_SECONDS)
    return sum(bus.depth(queue) for queue in (f"{service}.inbox", f"rpc-{service}", *retries))


def _in_store(engine: Engine) -> tuple[int, int]:
    """Outbox rows, and timers whose time has come."""
    outbox = select(func.count()).select_from(_TABLES.outbox)
    due = select(func.count()).select_from(_TABLES.timer).where(_TABLES.timer.c.due_at <= datetime.now(UTC))
    with engine.connect() as connection:
        return connection.execute(outbox).scalar_one(), connection.execute(due).scalar_one()


@contextmanager
def sampling(amqp_uri: str, databases: Mapping[str, str], store: str, per_second: float) -> Iterator[list[Depth]]:
    """What waits while the block runs and so many referrals arrive; the list is whole when it has ended."""
    sampler = Sampler(amqp_uri, databases, store, per_second)
    thread = threading.Thread(target=sampler.run, name="sampler")
    thread.start()
    try:
        yield sampler.depths
    finally:
        sampler.stop()
        thread.join()
