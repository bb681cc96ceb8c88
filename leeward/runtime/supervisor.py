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

from chassis.clock import SystemClock
from chassis.store.revision import current, newest
from leeward.errors import Refusal
from leeward.runtime import local_broker
from leeward.runtime.free_ports import free_ports
from leeward.runtime.local_broker import Node, last_lines
from leeward.runtime.prefork import LOADS_FASTER, ROOT, PreforkServer, Process, open_prefork_server
from leeward.runtime.processes import Held, command_of, hold, is_same, lifeline, started_at, tied, wait_until
from leeward.runtime.restarts import Restarts, delay_seconds
from leeward.runtime.workspace import SERVICES, Workspace

READY_SECONDS = 60
STOP_SECONDS = 30
SITE = "site"
BROKER = "The broker"


class ServiceWontStart(Refusal):
    """A service ended at its start; the message holds the last lines that it wrote."""


class AlreadyRunning(Refusal):
    """Something runs from this folder; the message says which processes."""


Say = Callable[[str], None]


def say_nothing(_: str) -> None:
    """For whoever runs a system where nobody looks."""


@dataclass
class Supervised:
    """A process: a service's, the public site's, or the broker's."""

    name: str
    process: Process
    restarts: Restarts
    started_at: float = field(default_factory=time.monotonic)


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
        prefork_server: PreforkServer | None = None,
        node: Node | None = None,
        say: Say = say_nothing,
        delay: Callable[[int], float] = delay_seconds,
    ) -> None:
        """`own_uris` are of the services that have a broker user of their own. `site` runs the public site too.

        `prefork_server` is one that is running already, and `node` the broker, if it is one of our own; both are looked
        after, and stopped with everything else. `say` tells a person what has ended. `delay` is how many seconds to
        wait before a process is started again for the first, the second … time in a row.
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
        self._prefork_server = prefork_server or open_prefork_server()
        self._say, self._delay = say, delay
        self._node = node
        self._broker = Supervised(BROKER, node.process, Restarts(delay)) if node else None

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
        self._prefork_server = self._prefork_server or open_prefork_server()
        for name in sorted(self._http, key=lambda name: name != SITE):  # which needn't wait for the prefork server
            self.running[name] = Supervised(name, self._spawn(name), Restarts(self._delay))
        until()
        self._wait_until_ready()
        self.write_run_file()

    def keep_running(self) -> list[str]:
        """Starts again whatever has ended, and names it. Call it every now and then."""
        if self._prefork_server and self._prefork_server.has_ended():
            self._reopen_prefork_server()
        everything = [*([self._broker] if self._broker else []), *self.running.values()]
        ended = [supervised for supervised in everything if supervised.process.poll() is not None]
        for supervised in ended:
            self._start_again(supervised)
        return [supervised.name for supervised in ended]

    def _start_again(self, supervised: Supervised) -> None:
        """Unless it keeps ending, and has to wait. Why it ended is said the first time."""
        now = time.monotonic()
        if supervised.restarts.ended(now=now, started=supervised.started_at):
            end = f"{supervised.name} ended and is started again."
            log = f"Its log ends so, and doesn't say why if it was killed:\n{self._last_words(supervised.name)}"
            self._say(f"{end} {log}")
        if supervised.restarts.is_due(now):
            supervised.process, supervised.started_at = self._spawn(supervised.name), time.monotonic()
            supervised.restarts.started(at=SystemClock().now())
            self.write_run_file()

    def _reopen_prefork_server(self) -> None:
        if self._prefork_server:
            self._say("The process that services are forked from ended and is opened again; what it forked goes on.")
            self._prefork_server.close()
        self._prefork_server = open_prefork_server()

    def stop(self) -> None:
        """Asks every service to finish what it has in hand, and ends those that don't."""
        for supervised in self.running.values():
            _signal(supervised.process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for supervised in self.running.values():
            try:
                supervised.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(supervised.process, signal.SIGKILL)
                supervised.process.wait()
        if self._prefork_server:
            self._prefork_server.close()
            self._prefork_server = None
        if self._node:
            self._node.stop()
        self.workspace.run_file.unlink(missing_ok=True)

    def write_run_file(self) -> None:
        stores = self.workspace.stores()
        processes = {name: self._told(supervised) for name, supervised in self.running.items()}
        site = processes.pop(SITE, None)
        for name, told in processes.items():
            told["store"] = stores[name]
        me = {"pid": os.getpid(), "started": started_at(os.getpid())}
        content = {"amqp_uri": self.amqp_uri, "web": self.site, **me, "services": processes}
        self.workspace.write_run_file(content | ({SITE: site} if site else {}))

    def _told(self, supervised: Supervised) -> dict[str, Any]:
        return {
            "pid": supervised.process.pid,
            "restarts": supervised.restarts.total,
            "restarted_at": [at.isoformat() for at in supervised.restarts.recent],
            "http": self._http[supervised.name],
            "log": str(self.workspace.log(supervised.name).absolute()),
        }

    def _spawn(self, name: str) -> Process:
        if name == BROKER and self._node:
            self._node.stop()  # its port mapper, and whatever may be left of it
            self._node = local_broker.begin(self._node.folder, port=self._node.port)
            return self._node.process
        if self._prefork_server and name != SITE:
            return self._fork(name, self._prefork_server)
        command = ["web.site"] if name == SITE else ["chassis.host.run", name]
        with self.workspace.log(name).open("ab") as log:
            return subprocess.Popen(
                tied(*command),
                env=self._environment_of(name),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lifeline(),),
            )

    def _fork(self, name: str, prefork_server: PreforkServer) -> Process:
        try:
            return prefork_server.start(name, self._environment_of(name), self.workspace.log(name))
        except BrokenPipeError:
            self._reopen_prefork_server()
            return self._spawn(name)

    def _environment_of(self, name: str) -> dict[str, str]:
        listen = self._http[name].removeprefix("http://")
        if name == SITE:
            return {**self.workspace.site_settings(self.amqp_uri), **self._environment, "LEEWARD_SITE": listen}
        own = {"AMQP_URI": self._own_uris.get(name, self.amqp_uri), "LEEWARD_HTTP": listen}
        return {**LOADS_FASTER, **self.workspace.links_to(self.site), **self._environment, **own}

    def _wait_until_ready(self) -> None:
        for service, supervised in self.running.items():
            if not wait_until_it_is_ready(self._http[service], supervised.process):
                raise ServiceWontStart(f"{service} did not start:\n{self._last_words(service)}")

    def _last_words(self, service: str) -> str:
        if service == BROKER and self._node:
            return self._node.last_words()
        return last_lines(self.workspace.log(service))


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
def running(
    workspace: Workspace,
    services: Sequence[str] = SERVICES,
    *,
    site: bool = False,
    prefork_server: PreforkServer | None = None,
    say: Say = say_nothing,
) -> Iterator[Supervisor]:
    """Everything, for as long as the block runs, on the broker that AMQP_URI names or one of its own.

    Raises AlreadyRunning if something runs from this folder, FolderInUse if that is a broker.
    """
    with holding(workspace):
        refuse_if_running(workspace, say=say)
        workspace.prepare()
        given = os.environ.get("AMQP_URI")
        node = None if given else local_broker.begin(workspace.broker)
        amqp_uri = node.amqp_uri if node else str(given)
        supervisor = Supervisor(
            workspace, amqp_uri, services, site=site, prefork_server=prefork_server, node=node, say=say
        )
        try:
            supervisor.migrate()
            # Services wait for the broker themselves, and have much to load meanwhile.
            supervisor.start(until=node.wait_until_listening if node else lambda: None)
            yield supervisor
        finally:
            supervisor.stop()


@contextmanager
def holding(workspace: Workspace) -> Iterator[None]:
    """Keeps others from running from this folder for as long as the block runs. Raises AlreadyRunning."""
    try:
        lock = hold(workspace.folder)
    except Held as held:
        raise AlreadyRunning(_refusal(workspace, held.by.get("pid", ""))) from None
    with lock:
        yield


def refuse_if_running(workspace: Workspace, *, say: Say = say_nothing) -> None:
    """Raises AlreadyRunning while the process that the folder's run file names is there, or what it left behind.

    What a killed one left ends by itself, and is waited for.
    """
    found = workspace.read_run_file()
    if found is None:
        return
    if is_same(found["pid"], found.get("started", "")):
        raise AlreadyRunning(_refusal(workspace, found["pid"]))
    processes = [*found["services"].values(), *([found[SITE]] if SITE in found else [])]
    pids = [found["pid"], *(process["pid"] for process in processes)]
    if _ours(pids):
        say(f"What a killed Leeward left behind in {workspace.folder} is ending …")
    if not wait_until(lambda: not _ours(pids)):
        left = " ".join(str(pid) for pid in _ours(pids))
        raise AlreadyRunning(
            f"A Leeward that was killed in {workspace.folder} left processes behind that don't end. "
            f"End them first: kill -9 {left}"
        )


def _refusal(workspace: Workspace, pid: int | str) -> str:
    return f"Leeward runs from {workspace.folder} already, as process {pid}. End it first: kill {pid}"


def _ours(pids: Sequence[int]) -> list[int]:
    """Those of these processes that are there still, and no others that were given the same number."""
    return [pid for pid in pids if any(words in command_of(pid) for words in ("leeward", "chassis.host", "web.site"))]


def _signal(process: Process, signal_: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(signal_)
