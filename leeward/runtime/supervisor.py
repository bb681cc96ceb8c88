"""Runs every service as a process of its own, restarts what has ended, and leaves no process behind."""

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
from leeward.runtime.processes import (
    FolderLocked,
    command_of,
    is_same,
    lifeline,
    lock_folder,
    started_at,
    tied_command,
    wait_until,
)
from leeward.runtime.restarts import Restarts, delay_seconds
from leeward.runtime.workspace import ACCOUNTS, SERVICES, Workspace

OURS = ("leeward", "chassis.host", "web.site", "web.console")
"""What the commands of our processes contain, one or the other."""

READY_SECONDS = 60
STOP_SECONDS = 30
SITE, STAFF = "site", "staff"
FRONT_ENDS = {SITE: "web.site", STAFF: "web.console"}
"""The programs that people open in a browser, each with its module."""

BROKER = "The broker"


class ServiceWontStart(Refusal):
    """A service ended at its start; the message holds the last lines that it wrote."""


class AlreadyRunning(Refusal):
    """Something runs from this folder; the message says which processes."""


Say = Callable[[str], None]


def say_nothing(_: str) -> None:
    """A `Say` for systems that no person watches."""


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
        console: bool = False,
        prefork_server: PreforkServer | None = None,
        node: Node | None = None,
        say: Say = say_nothing,
        delay: Callable[[int], float] = delay_seconds,
    ) -> None:
        """`own_uris` has the AMQP URI of each service with a broker user of its own. `site` runs the public site too,
        and `console` the staff's console.

        `prefork_server` is one that is running already, and `node` the broker if it is a private one; the supervisor
        restarts both when they end, and stops them with everything else. `say` prints what has ended. `delay` maps the
        number of a restart in a row, counted from 1, to the seconds to wait before it.
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
        if console:  # by name, because passkeys refuse an address
            listen = workspace.values().get("LEEWARD_CONSOLE") or f"localhost:{free_ports(1)[0]}"
            self._http[STAFF] = f"http://{listen}"
        self.running: dict[str, Supervised] = {}
        self._prefork_server = prefork_server or open_prefork_server()
        self._say, self._delay = say, delay
        self._node = node
        self._broker = Supervised(BROKER, node.process, Restarts(delay)) if node else None

    @property
    def site(self) -> str | None:
        """The public site's address, if it runs here."""
        return self._http.get(SITE)

    @property
    def console(self) -> str | None:
        """The address of the staff's console, if it runs here."""
        return self._http.get(STAFF)

    def migrate(self) -> None:
        """Brings every database to its newest revision. Raises CalledProcessError."""
        stores = {name: url for name, url in self.workspace.stores().items() if name in self._services}
        if self.console:
            stores[ACCOUNTS] = self.workspace.accounts_store()
        behind = [name for name, url in stores.items() if _is_behind(name, url)]
        commands = ([sys.executable, "-m", "chassis.store.migrate", service] for service in behind)
        started = [subprocess.Popen(command, env=self._environment, cwd=ROOT) for command in commands]
        for process in started:
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, process.args)

    def start(self, until: Callable[[], None] = lambda: None) -> None:
        """Starts everything, calls `until`, and waits until each is ready. Raises ServiceWontStart."""
        self._prefork_server = self._prefork_server or open_prefork_server()
        # Front-ends first: they needn't wait for the prefork server.
        for name in sorted(self._http, key=lambda name: name not in FRONT_ENDS):
            self.running[name] = Supervised(name, self._spawn(name), Restarts(self._delay))
        until()
        self._wait_until_ready()
        self.write_run_file()

    def restart_ended(self) -> list[str]:
        """Restarts what has ended as soon as its delay is over, and returns the names of all that had ended.

        Call it regularly.
        """
        if self._prefork_server and self._prefork_server.has_ended():
            self._reopen_prefork_server()
        everything = [*([self._broker] if self._broker else []), *self.running.values()]
        ended = [supervised for supervised in everything if supervised.process.poll() is not None]
        for supervised in ended:
            self._start_again(supervised)
        return [supervised.name for supervised in ended]

    def _start_again(self, supervised: Supervised) -> None:
        """Restarts a process, unless its delay isn't over. Prints the end of its log the first time in a row."""
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
        """Has every process finish its current work, and kills those that take longer than STOP_SECONDS."""
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
        processes = {name: self._run_file_entry(supervised) for name, supervised in self.running.items()}
        front_ends = {name: processes.pop(name) for name in FRONT_ENDS if name in processes}
        for name, entry in processes.items():
            entry["store"] = stores[name]
        me = {"pid": os.getpid(), "started": started_at(os.getpid())}
        content = {"amqp_uri": self.amqp_uri, "web": self.site, **me, "services": processes}
        self.workspace.write_run_file(content | front_ends)

    def _run_file_entry(self, supervised: Supervised) -> dict[str, Any]:
        return {
            "pid": supervised.process.pid,
            "restarts": supervised.restarts.total,
            "restarted_at": [at.isoformat() for at in supervised.restarts.recent],
            "http": self._http[supervised.name],
            "log": str(self.workspace.log(supervised.name).absolute()),
        }

    def _spawn(self, name: str) -> Process:
        if name == BROKER and self._node:
            self._node.stop()  # its port mapper, and what may be left of the node
            self._node = local_broker.begin(self._node.folder, port=self._node.port)
            return self._node.process
        if self._prefork_server and name not in FRONT_ENDS:
            return self._fork(name, self._prefork_server)
        command = [FRONT_ENDS[name]] if name in FRONT_ENDS else ["chassis.host.run", name]
        with self.workspace.log(name).open("ab") as log:
            return subprocess.Popen(
                tied_command(*command),
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
        if name == STAFF:
            console = {"LEEWARD_CONSOLE": listen, "CONSOLE_FIRST_LINK": str(self.workspace.first_link.absolute())}
            return {**self.workspace.site_of_console(self.site), **self._environment, **console}
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
    """Whether the process at this address reports that it is ready."""
    return bool(_readiness(http)["ready"])


def wait_until_it_is_ready(http: str, process: Process) -> bool:
    """Waits until the service is ready. False if its process ends, it needs a person, or READY_SECONDS are over."""
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        readiness = _readiness(http)
        if readiness["ready"] or readiness["needs_a_person"]:
            return bool(readiness["ready"])
        time.sleep(0.05)
    return False


def _readiness(http: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{http}/health/ready", timeout=1.0) as answer:  # noqa: S310
            readiness: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as not_ready:
        readiness = json.load(not_ready)
    except OSError:
        return {"ready": False, "needs_a_person": None}
    return readiness


@contextmanager
def running(
    workspace: Workspace,
    services: Sequence[str] = SERVICES,
    *,
    site: bool = False,
    console: bool = False,
    prefork_server: PreforkServer | None = None,
    say: Say = say_nothing,
) -> Iterator[Supervisor]:
    """Runs everything while the block runs, on the broker that AMQP_URI names or a private one.

    Raises AlreadyRunning if Leeward runs from this folder, FolderInUse if a broker does.
    """
    with locked(workspace):
        refuse_if_running(workspace, say=say)
        workspace.prepare()
        given = os.environ.get("AMQP_URI")
        node = None if given else local_broker.begin(workspace.broker)
        amqp_uri = node.amqp_uri if node else str(given)
        supervisor = Supervisor(
            workspace,
            amqp_uri,
            services,
            site=site,
            console=console,
            prefork_server=prefork_server,
            node=node,
            say=say,
        )
        try:
            supervisor.migrate()
            # Services wait for the broker themselves, and have much to load meanwhile.
            supervisor.start(until=node.wait_until_listening if node else lambda: None)
            yield supervisor
        finally:
            supervisor.stop()


@contextmanager
def locked(workspace: Workspace) -> Iterator[None]:
    """Locks the folder while the block runs, so that nobody else runs from it. Raises AlreadyRunning."""
    try:
        lock = lock_folder(workspace.folder)
    except FolderLocked as in_use:
        raise AlreadyRunning(_already_running(workspace, in_use.holder.get("pid", ""))) from None
    with lock:
        yield


def refuse_if_running(workspace: Workspace, *, say: Say = say_nothing) -> None:
    """Raises AlreadyRunning if the process that the folder's run file names still runs, or children that it left.

    Waits for the children of a killed process, because they end by themselves.
    """
    found = workspace.read_run_file()
    if found is None:
        return
    if is_same(found["pid"], found.get("started", "")):
        raise AlreadyRunning(_already_running(workspace, found["pid"]))
    processes = [*found["services"].values(), *(found[name] for name in FRONT_ENDS if name in found)]
    pids = [found["pid"], *(process["pid"] for process in processes)]
    if _still_running(pids):
        say(f"What a killed Leeward left behind in {workspace.folder} is ending …")
    if not wait_until(lambda: not _still_running(pids)):
        left = " ".join(str(pid) for pid in _still_running(pids))
        raise AlreadyRunning(
            f"A Leeward that was killed in {workspace.folder} left processes behind that don't end. "
            f"End them first: kill -9 {left}"
        )


def _already_running(workspace: Workspace, pid: int | str) -> str:
    return f"Leeward runs from {workspace.folder} already, as process {pid}. End it first: kill {pid}"


def _still_running(pids: Sequence[int]) -> list[int]:
    """Those of these processes that still run; a number may have been given to another program meanwhile."""
    return [pid for pid in pids if any(words in command_of(pid) for words in OURS)]


def _signal(process: Process, signal_: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(signal_)
