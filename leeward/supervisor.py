"""Runs every service as a process of its own, starts again what died, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy.exc import DBAPIError

from chassis.store.revision import current, newest
from leeward import broker
from leeward.nursery import LOADS_FASTER, ROOT, Nursery, Process, open_nursery
from leeward.ports import free_ports
from leeward.refusal import Refusal
from leeward.workspace import SERVICES, Workspace

READY_SECONDS = 60
STOP_SECONDS = 30
RESTART_SECONDS = 2.0
SITE = "site"


class ServiceWontStart(Refusal):
    """A service ended at its start; the message holds the last lines that it wrote."""


class AlreadyRunning(Refusal):
    """Something runs from this folder; the message says which processes."""


@dataclass
class Supervised:
    """A process: a service's, or the public site's."""

    name: str
    process: Process
    started_at: float = field(default_factory=time.monotonic)
    restarts: int = 0


class Supervisor:
    """The services of a workspace, on one broker."""

    def __init__(
        self,
        workspace: Workspace,
        amqp_uri: str,
        services: Sequence[str] = SERVICES,
        *,
        own_uris: Mapping[str, str] = MappingProxyType({}),
        site: bool = False,
        nursery: Nursery | None = None,
    ) -> None:
        """`own_uris` are of the services that have a broker user of their own. `site` runs the public site too.

        `nursery` is one that has been opened already, and is closed when everything stops.
        """
        self.workspace = workspace
        self.amqp_uri = amqp_uri
        self._environment = workspace.environment(amqp_uri)
        self._own_uris = own_uris
        self._services = services
        ports = free_ports(len(services))
        self._http = {name: f"http://127.0.0.1:{port}" for name, port in zip(services, ports, strict=True)}
        if site:
            listen = workspace.values().get("LEEWARD_SITE") or f"127.0.0.1:{free_ports(1)[0]}"
            self._http[SITE] = f"http://{listen}"
        self.running: dict[str, Supervised] = {}
        self._nursery = nursery or open_nursery()

    @property
    def site(self) -> str | None:
        """The public site's address, if it runs here."""
        return self._http.get(SITE)

    def migrate(self) -> None:
        """Brings every database to its newest revision. Raises CalledProcessError."""
        stores = self.workspace.stores()
        behind = [service for service in self._services if _is_behind(service, stores[service])]
        commands = ([sys.executable, "-m", "chassis.store.migrate", service] for service in behind)
        started = [subprocess.Popen(command, env=self._environment, cwd=ROOT) for command in commands]
        for process in started:
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, process.args)

    def start(self, until: Callable[[], None] = lambda: None) -> None:
        """Starts everything, calls `until`, and waits until each is ready. Raises ServiceWontStart."""
        self._nursery = self._nursery or open_nursery()
        for name in sorted(self._http, key=lambda name: name != SITE):  # which needn't wait for the nursery
            self.running[name] = Supervised(name, self._spawn(name))
        until()
        self._wait_until_ready()
        self.write_run_file()

    def keep_running(self) -> list[str]:
        """Starts again whatever has ended, and names it. Call it every now and then."""
        ended = [one for one in self.running.values() if one.process.poll() is not None]
        for one in ended:
            if time.monotonic() - one.started_at > RESTART_SECONDS:
                one.process, one.started_at = self._spawn(one.name), time.monotonic()
                one.restarts += 1
                self.write_run_file()
        return [one.name for one in ended]

    def stop(self) -> None:
        """Asks every service to finish what it has in hand, and ends those that don't."""
        for one in self.running.values():
            _signal(one.process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for one in self.running.values():
            try:
                one.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(one.process, signal.SIGKILL)
                one.process.wait()
        if self._nursery:
            self._nursery.close()
            self._nursery = None
        self.workspace.run_file.unlink(missing_ok=True)

    def write_run_file(self) -> None:
        stores = self.workspace.stores()
        processes = {name: self._told(one) for name, one in self.running.items()}
        site = processes.pop(SITE, None)
        for name, told in processes.items():
            told["store"] = stores[name]
        content = {"amqp_uri": self.amqp_uri, "web": self.site, "pid": os.getpid(), "services": processes}
        self.workspace.write_run_file(content | ({SITE: site} if site else {}))

    def _told(self, one: Supervised) -> dict[str, Any]:
        return {
            "pid": one.process.pid,
            "restarts": one.restarts,
            "http": self._http[one.name],
            "log": str(self.workspace.log(one.name).absolute()),
        }

    def _spawn(self, name: str) -> Process:
        if self._nursery and name != SITE:
            return self._nursery.start(name, self._environment_of(name), self.workspace.log(name))
        command = ["web.site"] if name == SITE else ["chassis.host.run", name]
        with self.workspace.log(name).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                env=self._environment_of(name),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _environment_of(self, name: str) -> dict[str, str]:
        listen = self._http[name].removeprefix("http://")
        if name == SITE:
            return {**self.workspace.site_settings(self.amqp_uri), **self._environment, "LEEWARD_SITE": listen}
        own = {"AMQP_URI": self._own_uris.get(name, self.amqp_uri), "LEEWARD_HTTP": listen}
        return {**LOADS_FASTER, **self._environment, **own}

    def _wait_until_ready(self) -> None:
        for service, one in self.running.items():
            if not wait_until_it_is_ready(self._http[service], one.process):
                raise ServiceWontStart(f"{service} did not start:\n{self._last_words(service)}")

    def _last_words(self, service: str) -> str:
        return "\n".join(self.workspace.log(service).read_text(errors="replace").splitlines()[-12:])


def _is_behind(service: str, database_url: str) -> bool:
    """Whether there is something to migrate; if the database doesn't answer, the migration will say so."""
    try:
        return current(database_url) != newest(service)
    except DBAPIError:
        return True


def is_ready(http: str) -> bool:
    """Whether what runs at this address says that it can do its work."""
    return bool(_condition(http)["ready"])


def wait_until_it_is_ready(http: str, process: Process) -> bool:
    """Whether the service says that it is ready before its process ends, a person is needed, or it takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        condition = _condition(http)
        if condition["ready"] or condition["needs_a_person"]:
            return bool(condition["ready"])
        time.sleep(0.05)
    return False


def _condition(http: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{http}/health/ready", timeout=1.0) as answer:  # noqa: S310
            condition: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as not_ready:
        condition = json.load(not_ready)
    except OSError:
        return {"ready": False, "needs_a_person": None}
    return condition


@contextmanager
def broker_for(workspace: Workspace) -> Iterator[tuple[str, Callable[[], None]]]:
    """The broker that AMQP_URI names, or a private one for as long as the block runs; and what waits until it is up."""
    given = os.environ.get("AMQP_URI")
    if given:
        yield given, lambda: None
        return
    node = broker.begin(workspace.broker)
    try:
        yield node.amqp_uri, node.wait_until_listening
    finally:
        node.stop()


@contextmanager
def running(
    workspace: Workspace, services: Sequence[str] = SERVICES, *, site: bool = False, nursery: Nursery | None = None
) -> Iterator[Supervisor]:
    """Everything, for as long as the block runs. Raises AlreadyRunning if something runs from this folder."""
    refuse_if_running(workspace)
    workspace.prepare()
    with broker_for(workspace) as (amqp_uri, wait_for_broker):
        supervisor = Supervisor(workspace, amqp_uri, services, site=site, nursery=nursery)
        try:
            supervisor.migrate()
            supervisor.start(until=wait_for_broker)  # they wait for it themselves, and have much to load meanwhile
            yield supervisor
        finally:
            supervisor.stop()


def refuse_if_running(workspace: Workspace) -> None:
    """Raises AlreadyRunning while processes that the folder's run file names are there, also orphaned ones."""
    found = workspace.read_run_file()
    if found is None:
        return
    processes = [*found["services"].values(), *([found[SITE]] if SITE in found else [])]
    pids = [found["pid"], *(one["pid"] for one in processes)]
    alive = [str(pid) for pid in pids if _is_ours(pid)]
    if alive:
        raise AlreadyRunning(
            f"Leeward runs from {workspace.folder} already, or was killed there and left processes behind. "
            f"End them first: kill {' '.join(alive)}"
        )


def _is_ours(pid: int) -> bool:
    command = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout
    return any(words in command for words in ("leeward", "chassis.host", "web.site"))


def _signal(process: Process, signal_: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(signal_)
