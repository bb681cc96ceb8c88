"""One probe as a user would run it, on one store, behind a proxy, with an independent reader of what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pika
from sqlalchemy import Engine, NullPool, create_engine, text

from chassis.access.tokens import make_signing_key
from chassis.clock import SharedClock
from chassis.rpc import RpcClient
from contracts.permissions import FrontEnd
from leeward.runtime.local_broker import Node
from tests.faults.ground import Ground
from tests.faults.reader import Reader
from tests.support.disk import SmallDisk
from tests.support.people import sign_as
from tests.support.processes import run_module
from tests.support.proxy import Proxy
from tests.support.system import virtual_host

if TYPE_CHECKING:
    from tests.faults.cluster import Cluster

BINDING = ("source_name", "destination_name", "routing_key")
ROOT = Path(__file__).parent.parent.parent
PROBE = Path(__file__).parent / "probe"
HEARTBEAT_SECONDS = 2
WATCH_SECONDS = 0.05
NO_LIMIT_BYTES = 67_108_864
RETRY_MILLISECONDS = 300
"""How long a message waits in each retry queue here: as long a policy allows, so that an hour is over in a moment."""


class Probe:
    """One process of the probe, started again whenever it dies, as a service manager would."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command, self._environment, self.log = command, environment, log
        self._ended = threading.Event()
        self.starts = 0
        self.process = self._spawn()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL; it is started again at once."""
        self.send(signal.SIGKILL)

    def close(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends it and leaves it so."""
        self._ended.set()
        self._watcher.join()
        self.send(number)
        self.process.wait()

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_SECONDS):
            if self.process.poll() is not None:
                self.process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with self.log.open("ab") as log:
            return run_module(
                *self._command, env=dict(self._environment), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


class Rig:
    """A probe with everything around it. `sabotage` names what this probe and its surroundings do wrong on purpose."""

    def __init__(
        self,
        ground: Ground,
        store: str,
        name: str,
        *,
        sabotage: frozenset[str] = frozenset(),
        cluster: Cluster | None = None,
        disk: SmallDisk | None = None,
    ) -> None:
        self.ground, self.store, self.name, self.sabotage = ground, store, name, sabotage
        self.cluster, self.disk = cluster, disk
        self.folder = ground.folder / name
        self.control, self.log = self.folder / "control", self.folder / "log"
        self.control.mkdir(parents=True)
        self.clock = SharedClock(self.folder / "clock")
        self.clock.start()
        self.direct_uri = virtual_host(self.node, name)
        self.keys = self.folder / "keys"
        make_signing_key(self.keys, FrontEnd.OPERATOR)
        self.proxy = Proxy(cluster.leader_port if cluster else ground.port)
        self.amqp_uri = self.direct_uri.replace(f":{port_of(self.node)}/", f":{self.proxy.port}/")
        self.database_url = self._database()
        self.engine: Engine = create_engine(self.database_url, poolclass=NullPool)
        self.policy("retries", "^probe\\.retry\\.", {"message-ttl": RETRY_MILLISECONDS})
        self.reader = Reader(self.direct_uri)
        self._migrate()
        self.probes: list[Probe] = []
        self.start()
        self.mark_log()

    @property
    def node(self) -> Node:
        """The broker's node that the test itself talks to."""
        return self.cluster.nodes[0] if self.cluster else self.ground.node

    def client(self) -> RpcClient:
        """A client for commands to the probe, which bypasses the proxy."""
        return RpcClient(self.direct_uri, sign=sign_as(self.keys, front_end=FrontEnd.OPERATOR))

    @property
    def probe(self) -> Probe:
        return self.probes[0]

    def start(self) -> Probe:
        """Starts one more replica of the probe."""
        command = ["chassis.host.run", "probe"]
        self.probes.append(Probe(command, self._environment(), self.log))
        return self.probes[-1]

    def kill(self) -> None:
        for probe in self.probes:
            probe.kill()

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends every replica."""
        for probe in self.probes:
            probe.close(number)
        self.probes.clear()

    def tidy(self) -> None:
        """Makes all as a scenario expects it: one probe, and a clock and a network that behave."""
        for probe in self.probes[1:]:
            probe.close(signal.SIGTERM)
        del self.probes[1:]
        self.clock.advance(-self.clock.offset())
        self.proxy.heal()
        self.proxy.delay_seconds = 0.0
        for left in self.control.iterdir():
            left.unlink()
        self.mark_log()

    def close(self) -> None:
        self.stop()
        self.proxy.close()
        self.reader.close()
        self.engine.dispose()

    def ctl(self, command: str, *arguments: str) -> str:
        """rabbitmqctl on this rig's virtual host."""
        return self.node.control(command, "-p", self.name, *arguments)

    def policy(self, name: str, pattern: str, definition: Mapping[str, Any]) -> None:
        self.ctl("set_policy", name, pattern, json.dumps(dict(definition)), "--apply-to", "queues")

    @contextmanager
    def kept_bindings(self, exchange: str) -> Iterator[list[dict[str, str]]]:
        """An exchange's bindings, which are there again after the block whatever happened in it."""
        listed = json.loads(self.ctl("list_bindings", "--formatter", "json", *BINDING))
        kept = [one for one in listed if one["source_name"] == exchange]
        try:
            yield kept
        finally:
            with self.channel() as channel:
                channel.exchange_declare(exchange, "topic", durable=True)
                for one in kept:
                    channel.queue_bind(one["destination_name"], exchange, one["routing_key"])

    @contextmanager
    def unbound(self, exchange: str, *, routing_key: str | None = None) -> Iterator[None]:
        """Takes an exchange's bindings away, all or those of one routing key, and brings them back afterwards."""
        with self.kept_bindings(exchange) as bindings:
            with self.channel() as channel:
                for one in bindings:
                    if routing_key in (None, one["routing_key"]):
                        channel.queue_unbind(one["destination_name"], exchange, one["routing_key"])
            yield

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A plain channel of the test's own, past the proxy."""
        with pika.BlockingConnection(pika.URLParameters(self.direct_uri)) as connection:
            yield connection.channel()

    def mark_log(self) -> None:
        """Forgets what the probe has logged so far; see `said`."""
        self._logged = self.log.stat().st_size if self.log.exists() else 0

    def said(self, event: str) -> bool:
        """Whether the probe has logged such an event since `mark_log`. For waiting only, never for counting."""
        with self.log.open("rb") as log:
            log.seek(self._logged)
            return f'"event": "{event}"'.encode() in log.read()

    def open_gate(self) -> None:
        """Lets go on what waits in the probe's `gate`."""
        (self.control / "open").touch()

    def arm(self, point: str, passes: int = 0) -> None:
        """Has the probe kill itself at a point; see `services.probe.points`."""
        (self.control / point).write_text(str(passes))

    def is_armed(self, point: str) -> bool:
        return (self.control / point).exists()

    def query(self, statement: str, values: Mapping[str, Any] = MappingProxyType({})) -> list[Any]:
        """Asks the probe's database itself. Raises what SQLAlchemy raises."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(statement), dict(values)))

    def change(self, statement: str, values: Mapping[str, Any] = MappingProxyType({})) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), dict(values))

    def _database(self) -> str:
        if self.store == "sqlite":
            return f"sqlite:///{self.disk.folder if self.disk else self.folder}/probe.db"
        assert self.ground.server
        return self.ground.server.create_database(self.name, folder=self.disk.folder if self.disk else None)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LEEWARD_")}
        return kept | {
            "PYTHONPATH": str(PROBE),
            "AMQP_URI": self.amqp_uri,
            "PROBE_DATABASE_URL": self.database_url,
            "PROBE_CONTROL": str(self.control),
            "PROBE_SABOTAGE": ",".join(sorted(self.sabotage)),
            "LEEWARD_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
            "LEEWARD_CLOCK_FILE": str(self.folder / "clock"),
            "LEEWARD_KEYS": str(self.keys),
            **({"LEEWARD_MAX_MESSAGE_BYTES": str(NO_LIMIT_BYTES)} if "no_limit" in self.sabotage else {}),
        }

    def _migrate(self) -> None:
        command = [sys.executable, "-m", "chassis.store.migrate", "probe"]
        subprocess.run(command, env=self._environment(), cwd=ROOT, check=True)


def port_of(node: Node) -> int:
    return int(node.environment["RABBITMQ_NODE_PORT"])


@contextmanager
def rigged(ground: Ground, store: str, name: str, **options: Any) -> Iterator[Rig]:
    """A rig for as long as the block runs."""
    rig = Rig(ground, store, name, **options)
    try:
        yield rig
    finally:
        rig.close()


def wait_until(condition: Callable[[], Any], what: str, deadline: float = 60.0) -> Any:
    """The first true answer of `condition`. Raises TimeoutError that says what was waited for."""
    until = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > until:
            raise TimeoutError(f"not within {deadline:g} s: {what}")
        time.sleep(WATCH_SECONDS)
