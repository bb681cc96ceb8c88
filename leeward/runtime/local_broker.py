"""A private RabbitMQ node in a folder of its own, for one machine and for tests; it touches nothing else there.

Debian's `/usr/sbin/rabbitmq-server` switches user and folder; the script below it runs as whoever calls it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chassis.bus.connection import LOST, open_connection
from chassis.bus.permissions import definitions_for_one_user
from leeward.errors import Refusal
from leeward.runtime.free_ports import free_ports
from leeward.runtime.processes import Held, guarded, hold, say_who_holds

START_SECONDS = 90
STOP_SECONDS = 30
SCRIPTS = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin")

USER = "leeward"
CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users.guest = true
load_definitions = {definitions}
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.relative = 0.4
log.console = false
log.file.level = warning
"""


class BrokerUnavailable(Refusal):
    """No RabbitMQ could be started; the message says what to do."""


class FolderInUse(Refusal):
    """Another node runs on a folder; the message says which, and how to end it."""


@dataclass(frozen=True)
class Node:
    """A running private node. It ends when the process that started it does, however that goes."""

    amqp_uri: str
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    epmd: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.environment["RABBITMQ_NODE_PORT"])

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def last_words(self) -> str:
        """The end of what it wrote outside of its own log."""
        return last_lines(self.folder / "console.log")

    def control(self, *arguments: str) -> str:
        """Runs `rabbitmqctl` against this node and returns what it printed. Raises CalledProcessError."""
        command = [str(_script("rabbitmqctl")), "--quiet", "--node", self.environment["RABBITMQ_NODENAME"], *arguments]
        return subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def wait_until_listening(self) -> None:
        """Returns once it accepts connections. Raises BrokerUnavailable."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise BrokerUnavailable(f"RabbitMQ ended at its start. {self.folder / 'console.log'} says why.")
            if _answers(self.amqp_uri):
                return
            time.sleep(0.1)
        raise BrokerUnavailable(f"RabbitMQ did not start within {START_SECONDS} s. See {self.folder / 'console.log'}.")

    def stop(self) -> None:
        """Stops the node, and the port mapper that it brought along."""
        for process in (self.process, self.epmd):
            _end(process)


def ensure_installed() -> None:
    """Installs RabbitMQ with the machine's package manager if it is missing, saying so first."""
    if _find_script("rabbitmq-server"):
        return
    if shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        commands = [
            [*sudo, "apt-get", "update", "-qq"],
            [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "rabbitmq-server"],
        ]
    elif shutil.which("brew"):
        commands = [["brew", "install", "rabbitmq"]]
    else:
        raise BrokerUnavailable(
            "RabbitMQ is not installed and this machine has neither apt-get nor Homebrew. "
            "Install it, or set AMQP_URI to a broker, or use deploy/compose.yaml."
        )
    print("RabbitMQ is not installed. Installing the system's package:", flush=True)
    for command in commands:
        print("  " + " ".join(command), flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
        # What a package manager says is shown only if it fails; as root it may be too chatty to read past.
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise BrokerUnavailable(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def start(folder: Path, *, port: int | None = None, beside: Node | None = None) -> Node:
    """As `begin`, and waits until the node accepts connections and commands, which is a moment later."""
    node = begin(folder, port=port, beside=beside)
    try:
        node.wait_until_listening()
        node.control("await_startup")
    except BaseException:
        node.stop()
        raise
    return node


def begin(folder: Path, *, port: int | None = None, beside: Node | None = None) -> Node:
    """Starts a node that keeps everything it has in `folder`.

    The same folder brings back the same queues. It listens on `port`, or on a free one. `beside` another node it shares
    that one's port mapper, cookie and password, as it must to join it in a cluster. Raises BrokerUnavailable, and
    FolderInUse while another node runs on the folder.
    """
    ensure_installed()
    folder = folder.absolute()
    lock = _hold(folder)
    free_port, dist_port, epmd_port = free_ports(3)
    port = port or free_port
    password = _password(beside.folder if beside else folder)
    definitions = folder / "definitions.json"
    definitions.write_text(json.dumps(definitions_for_one_user(USER, password)))
    (folder / "rabbitmq.conf").write_text(CONFIG.format(port=port, definitions=definitions))
    (folder / "enabled_plugins").write_text("[].\n")
    environment = _environment(folder, port, dist_port, epmd_port)
    if beside:
        environment |= {name: beside.environment[name] for name in ("HOME", "ERL_EPMD_PORT")}
    epmd = beside.epmd if beside else _spawn([_epmd(), "-port", str(epmd_port)], environment, folder, "epmd.log")
    process = _spawn([str(_script("rabbitmq-server"))], environment, folder, "console.log", lock.fileno())
    with lock:  # from here on it is the node that holds it
        say_who_holds(lock, group=str(process.pid))
    return Node(f"amqp://{USER}:{password}@127.0.0.1:{port}/%2F", folder, environment, process, epmd)


def last_lines(file: Path, count: int = 12) -> str:
    """The end of what a process wrote."""
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    return "\n".join(lines[-count:])


def _hold(folder: Path) -> IO[str]:
    try:
        return hold(folder)
    except Held as held:
        pid, group = held.by.get("pid"), held.by.get("group")
        if group and not held.by_living:
            raise FolderInUse(
                f"A broker that was left behind still runs on {folder}, as process group {group}. "
                f"End it first: kill -9 -{group}"
            ) from None
        raise FolderInUse(
            f"A broker runs on {folder} already; process {pid} started it and ends it: kill {pid}"
        ) from None


def _spawn(
    command: list[str], environment: dict[str, str], folder: Path, output: str, *pass_on: int
) -> subprocess.Popen[bytes]:
    """Starts a process in the node's folder, where Erlang leaves its crash dumps."""
    file = folder / output
    file.unlink(missing_ok=True)
    return guarded(
        command, environment=environment, folder=folder, output=file, patience_seconds=STOP_SECONDS, pass_on=pass_on
    )


def _environment(folder: Path, port: int, dist_port: int, epmd_port: int) -> dict[str, str]:
    name = _node_name(folder)
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(dist_port),
        # A node that begins with its name needn't start a second Erlang machine to look for a port mapper.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            f"-sname {name} -kernel inet_dist_listen_min {dist_port} inet_dist_listen_max {dist_port}"
        ),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(folder / "node.pid"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }


def _node_name(folder: Path) -> str:
    """The name is part of where the node keeps its data, so it stays with the folder."""
    return _kept(folder / "node-name", lambda: f"leeward-{secrets.token_hex(4)}@localhost")


def _password(folder: Path) -> str:
    return _kept(folder / "password", lambda: secrets.token_urlsafe(18))


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()


def _answers(amqp_uri: str) -> bool:
    try:
        open_connection(amqp_uri, name="is it up", heartbeat_seconds=10).end()
    except LOST:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a guarded process, and whatever it started."""
    for signal_, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, signal_)
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            process.wait()
        break
    if process.stdin:
        process.stdin.close()


def _epmd() -> str:
    given = _find_script("epmd")
    found = str(given) if given else shutil.which("epmd")
    if not found:
        raise BrokerUnavailable("Erlang's epmd is not on the PATH; is RabbitMQ's package installed whole?")
    return found


def _script(name: str) -> Path:
    found = _find_script(name)
    if not found:
        raise BrokerUnavailable(f"{name} is not installed")
    return found


def _find_script(name: str) -> Path | None:
    given = os.environ.get("LEEWARD_RABBITMQ")
    folders = [Path(folder) for folder in ((given,) if given else SCRIPTS)]
    return next((folder / name for folder in folders if (folder / name).exists()), None)
