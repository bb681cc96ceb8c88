"""The bare chain of four stock nameko services; see `bench/peers/nameko_chain.py`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.contestants import NAMEKO, PEERS, jobs
from bench.core.bus import Bus, wait_for
from bench.core.lab import PEERS_PYTHON, Lab
from bench.core.processes import Process, cpu_seconds, launch, stop
from bench.core.trial import READY_SECONDS, WARM_UP, make_tables

HOPS = ("First", "Second", "Third", "Fourth")
FOLLOWUPS = "chain.recorded"
PATIENCE_SECONDS = 300.0


@dataclass
class Chain:
    """Four running services."""

    bus: Bus
    processes: list[Process]

    def cpu(self) -> float:
        return cpu_seconds(*(process.pid for process in self.processes))

    def run(self, count: int) -> float:
        """Sends so many events through all four, and returns how many seconds that took. Raises TooSlow."""
        messages = [NAMEKO.wire(job) for job in jobs(count)]
        began = time.monotonic()
        self.bus.publish(messages)
        ended = wait_for(
            lambda: self.bus.depth(FOLLOWUPS) >= count,
            f"{count} events to pass the chain",
            every=0.02,
            within=PATIENCE_SECONDS,
        )
        arrived = self.bus.take_all(FOLLOWUPS, count)
        if len(set(arrived)) != count:
            raise ValueError(f"{len(set(arrived))} different events came out of the chain for {count} that went in")
        return ended - began


@contextmanager
def running_chain(lab: Lab, bus: Bus, store: str) -> Iterator[Chain]:
    """Each service is a process with a database of its own."""
    queues = [f"evt-{source}-AttendanceNoted--hop{hop}.record" for hop, source in enumerate(_SOURCES, start=1)]
    for queue in (*queues, FOLLOWUPS, NAMEKO.input_queue):
        bus.delete_queue(queue)
    bus.make_queue(FOLLOWUPS, exchange="hop4.events", routing_key="AttendanceRecorded")
    with ExitStack() as stack:
        processes = [_start(lab, stack, store, hop) for hop in HOPS]
        for queue in queues:
            wait_for(lambda queue=queue: bus.consumers(queue) > 0, f"{queue} has a consumer", within=READY_SECONDS)  # type: ignore[misc]
            stack.callback(bus.delete_queue, queue)
        chain = Chain(bus, processes)
        chain.run(WARM_UP)
        yield chain


_SOURCES = ("desk", "hop1", "hop2", "hop3")


def _start(lab: Lab, stack: ExitStack, store: str, hop: str) -> Process:
    environment = NAMEKO.environment(lab.amqp_uri, lab.database(store, f"chain_{hop.lower()}"))
    make_tables(lab, NAMEKO, environment)
    nameko = str(PEERS_PYTHON.parent / "nameko")
    command = (nameko, "run", f"bench.peers.nameko_chain:{hop}", "--config", str(PEERS / "nameko.yaml"))
    process = launch(command, environment, lab.log(f"chain-{hop.lower()}"))
    stack.callback(stop, process)
    return process
