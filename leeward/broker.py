"""A private RabbitMQ node in a folder of its own, for one machine and for tests; it touches nothing else there.

Debian's `/usr/sbin/rabbitmq-server` switches user and folder; the script below it runs as whoever calls it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chassis.bus.connection import LOST, open_connection
from leeward.ports import free_ports
from leeward.refusal import Refusal

START_SECONDS = 90
STOP_SECONDS = 30
SCRIPTS = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin")

CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users.guest = true
default_user = leeward
default_pass = {password}
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.relative = 0.4
log.console = false
log.file.level = warning
"""


class BrokerUnavailable(Refusal):
    """No RabbitMQ could be started; the message says what to do."""


@dataclass(frozen=True)
class Node:
    """A running private node."""

    amqp_uri: str
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    epmd: subprocess.Popen[bytes]

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
    that one's port mapper, cookie and password, as it must to join it in a cluster. Raises BrokerUnavailable.
    """
    ensure_installed()
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    free_port, dist_port, epmd_port = free_ports(3)
    port = port or free_port
    password = _password(beside.folder if beside else folder)
    (folder / "rabbitmq.conf").write_text(CONFIG.format(port=port, password=password))
    (folder / "enabled_plugins").write_text("[].\n")
    environment = _environment(folder, port, dist_port, epmd_port)
    if beside:
        environment |= {name: beside.environment[name] for name in ("HOME", "ERL_EPMD_PORT")}
    epmd = beside.epmd if beside else _spawn([_epmd(), "-port", str(epmd_port)], environment, folder, "epmd.log")
    process = _spawn([str(_script("rabbitmq-server"))], environment, folder, "console.log")
    return Node(f"amqp://leeward:{password}@127.0.0.1:{port}/%2F", folder, environment, process, epmd)


def _spawn(command: list[str], environment: dict[str, str], folder: Path, output: str) -> subprocess.Popen[bytes]:
    """Starts a process in a session of its own, so that Ctrl-C in the terminal doesn't reach it before we do.

    It runs in the node's folder, where Erlang leaves its crash dumps.
    """
    with (folder / output).open("wb") as log:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
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
    """Ends a process that was started in a session of its own, and whatever it started."""
    for signal_, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, signal_)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return


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
