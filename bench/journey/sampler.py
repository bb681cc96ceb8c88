"""Watches what waits at each service while it works, from a thread of its own so that the driver never stands still."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import amqp

from bench.core.bus import Bus, connected
from bench.sections.journey_rows import Depth
from leeward.status import status_of

EVERY_SECONDS = 0.5


@dataclass
class Sampler:
    """What was waiting, and when, since it began."""

    amqp_uri: str
    store: str
    phase: str
    depths: list[Depth] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _began: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        with connected(self.amqp_uri) as bus:
            while not self._over.wait(EVERY_SECONDS):
                with suppress(OSError, amqp.AMQPError):
                    self._look(bus)

    def stop(self) -> None:
        self._over.set()

    def _look(self, bus: Bus) -> None:
        """Messages count wherever they are: at the broker, in the service's hands, in a retry queue, as a command."""
        second = time.monotonic() - self._began
        for state in status_of(self.amqp_uri):
            commands = bus.depth(f"rpc-{state.service}")
            waiting = {
                "messages": state.inbox_depth + state.urgent_depth + state.retrying + commands,
                "outbox": state.outbox_rows,
                "timers due": state.timers_due,
            }
            self.depths += [
                Depth(self.store, self.phase, second, f"{state.service} {what}", count)
                for what, count in waiting.items()
                if count is not None
            ]


@contextmanager
def sampling(amqp_uri: str, store: str, phase: str) -> Iterator[list[Depth]]:
    """What waits while the block runs; the list is whole when it has ended."""
    sampler = Sampler(amqp_uri, store, phase)
    thread = threading.Thread(target=sampler.run, name="sampler")
    thread.start()
    try:
        yield sampler.depths
    finally:
        sampler.stop()
        thread.join()
