"""All five services on a virtual host and databases of their own, with their people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from bench.core.bus import Bus, connected, wait_for
from bench.core.lab import Lab
from bench.core.processes import cpu_seconds, rss_mb
from bench.journey import people
from bench.journey.driver import Driver
from bench.journey.sampler import sampling
from bench.sections.journey_rows import Depth
from chassis.privacy.sealing import Keyring
from chassis.rpc import RpcClient
from leeward.console.operator import sign_as_operator
from leeward.runtime.health import status_of
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import SERVICES, Workspace
from tests.support.system import virtual_host

PLAYED = "bench"
"""Who is on record for what the benchmark does."""

ADMISSION_SECONDS = 60.0
QUIET_SECONDS = 1.0


class ServiceDied(Exception):
    """A service's process ended by itself; the message names it."""


@dataclass
class Journey:
    """Five running services, and the people who use them."""

    store: str
    amqp_uri: str
    supervisor: Supervisor
    bus: Bus
    driver: Driver
    keyring: Keyring
    rss_at_rest: dict[str, float]

    def pid(self, service: str) -> int:
        return self.supervisor.running[service].process.pid

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each service so far."""
        return {service: cpu_seconds(self.pid(service)) for service in SERVICES}

    def rss(self) -> dict[str, float]:
        """Resident memory of each service in megabytes."""
        return {service: rss_mb(self.pid(service)) for service in SERVICES}

    def sampling(self, per_second: float = 0.0) -> AbstractContextManager[list[Depth]]:
        """What waits at each service while a block runs and so many referrals arrive."""
        return sampling(self.amqp_uri, self.supervisor.workspace.stores(), self.store, per_second)

    def check_alive(self) -> None:
        """Raises ServiceDied."""
        ended = [name for name, one in self.supervisor.running.items() if one.process.poll() is not None]
        if ended:
            raise ServiceDied(f"{', '.join(ended)} ended by itself")

    def is_idle(self) -> bool:
        """Whether no service has anything left to do."""
        return all(state.idle for state in status_of(self.amqp_uri))


@contextmanager
def running_journey(lab: Lab, store: str) -> Iterator[Journey]:
    """Raises ServiceWontStart."""
    workspace = Workspace(lab.folder / f"journey-{store}")
    urls = {one: lab.database(store, f"journey_{one}") for one in SERVICES} if store == "postgresql" else None
    workspace.prepare(urls)
    amqp_uri = virtual_host(lab.node, f"journey_{store}")
    supervisor = Supervisor(workspace, amqp_uri)
    with ExitStack() as stack:
        stack.callback(supervisor.stop)
        supervisor.migrate()
        supervisor.start()
        at_rest = {service: rss_mb(one.process.pid) for service, one in supervisor.running.items()}
        bus = stack.enter_context(connected(amqp_uri))
        keyring = Keyring(workspace.keys)
        driver = Driver(bus, people.aspects(keyring), sign_as_operator(workspace, PLAYED))
        journey = Journey(store, amqp_uri, supervisor, bus, driver, keyring, at_rest)
        _move_in(journey)
        yield journey


def _move_in(journey: Journey) -> None:
    """Admits the therapists and opens the fund, and lets every service hear of it."""
    sign = sign_as_operator(journey.supervisor.workspace, PLAYED)
    with RpcClient(journey.amqp_uri, sign=sign) as client:
        people.admit_therapists(client, journey.keyring)
        people.open_fund(client)
    settle(journey, ADMISSION_SECONDS)


def settle(journey: Journey, within: float) -> None:
    """Goes on until nothing has happened for a moment and every service is idle. Raises TooSlow."""

    def quiet() -> bool:
        journey.bus.pump(0.1)
        return time.monotonic() - journey.driver.last_at > QUIET_SECONDS and journey.is_idle()

    wait_for(quiet, f"the journey on {journey.store} comes to rest", every=0, within=within)
