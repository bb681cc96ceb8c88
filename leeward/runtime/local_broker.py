"""A private RabbitMQ node in a folder of its own, for use on one machine and in tests.

Debian's `/usr/sbin/rabbitmq-server` is a wrapper that switches user and folder; SCRIPTS lead to the script that it
calls, which runs as the caller.
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
from leeward.runtime.processes import FolderLocked, guarded, lock_folder, write_holder

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
    """A running private node. It ends when the process that started it does, even by SIGKILL."""

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
            if _accepts_connections(self.amqp_uri):
                return
            time.sleep(0.1)
        raise BrokerUnavailable(f"RabbitMQ did not start within {START_SECONDS} s. See {self.folder / 'console.log'}.")

    def stop(self) -> None:
        """Stops the node and its port mapper (epmd)."""
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
        # The package manager's output is shown only if it fails.
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise BrokerUnavailable(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def start(folder: Path, *, port: int | None = None, beside: Node | None = None) -> Node:
    """As `begin`, and waits until the node accepts connections and `rabbitmqctl` commands. Raises what `begin` does."""
    node = begin(folder, port=port, beside=beside)
    try:
        node.wait_until_listening()
        node.control("await_startup")
    except BaseException:
        node.stop()
        raise
    return node


def begin(folder: Path, *, port: int | None = None, beside: Node | None = None) -> Node:
    """Starts a node that stores all its files in `folder`, and doesn't wait for it.

    The same folder brings back the same queues. It listens on `port`, or on a free one. With `beside` it shares that
    node's port mapper, cookie and password, which both need to form a cluster. Raises BrokerUnavailable, and
    FolderInUse while another node runs on the folder.
    """
    ensure_installed()
    folder = folder.absolute()
    lock = _lock(folder)
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
    with lock:  # the node has inherited the lock, so this process can close it
        write_holder(lock, group=str(process.pid))
    return Node(f"amqp://{USER}:{password}@127.0.0.1:{port}/%2F", folder, environment, process, epmd)


def last_lines(file: Path, count: int = 12) -> str:
    """The end of what a process wrote."""
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    return "\n".join(lines[-count:])


def _lock(folder: Path) -> IO[str]:
    try:
        return lock_folder(folder)
    except FolderLocked as in_use:
        pid, group = in_use.holder.get("pid"), in_use.holder.get("group")
        if group and not in_use.holder_lives:
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
        # With its name given here the node needn't start a second Erlang VM to look for a port mapper.
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
    """RabbitMQ names its data folder after the node, so the same folder needs the same name at each start."""
    return _read_or_create(folder / "node-name", lambda: f"leeward-{secrets.token_hex(4)}@localhost")


def _password(folder: Path) -> str:
    return _read_or_create(folder / "password", lambda: secrets.token_urlsafe(18))


def _read_or_create(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()


def _accepts_connections(amqp_uri: str) -> bool:
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
    beside_scripts = _find_script("epmd")
    found = str(beside_scripts) if beside_scripts else shutil.which("epmd")
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
