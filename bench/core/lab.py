"""Everything that measurements share: one broker, one PostgreSQL server, a folder on disk, and contestants in them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, text

from bench.core import machine
from bench.core.processes import ROOT
from leeward.runtime import local_broker
from leeward.runtime.local_broker import Node
from tests.support import postgresql
from tests.support.postgresql import Server

FOLDER = ROOT / "var" / "bench"
"""On the checkout's own disk: a temporary folder may lie in memory, where fsync costs nothing."""

PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
STORES = ("sqlite", "postgresql")

Say = Callable[[str], None]


class AlreadyMeasuring(Exception):
    """Another run is under way in the same folder."""


@dataclass
class Lab:
    """A broker and a database server of our own, and where contestants keep their files."""

    folder: Path
    node: Node
    amqp_uri: str
    server: Server | None
    say: Say
    database_pid: int | None = None
    """The PostgreSQL server's first process; SQLite works inside the contestant's."""

    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def stores(self) -> tuple[str, ...]:
        """What there is to be measured on: PostgreSQL only where it is installed."""
        return STORES if self.server else STORES[:1]

    @property
    def has_peers(self) -> bool:
        return PEERS_PYTHON.exists()

    @property
    def broker_pid(self) -> int:
        return self.node.process.pid

    def database(self, store: str, name: str) -> str:
        """A new, empty database, and its URL."""
        unique = f"{name.replace('-', '_')}_{next(self._numbers)}"
        if store == "postgresql":
            assert self.server is not None
            return self.server.create_database(unique)
        return f"sqlite:///{self.folder / unique}.db"

    def drop(self, database_url: str) -> None:
        """Removes a database that nobody uses any more; a whole run would fill the disk otherwise."""
        name = database_url.rsplit("/", 1)[-1]
        if database_url.startswith("sqlite"):
            for file in self.folder.glob(f"{name}*"):
                file.unlink()
        elif self.server is not None:
            address = ["-h", "127.0.0.1", "-p", str(self.server.port), "-U", "leeward"]
            subprocess.run([self.server.bin / "dropdb", *address, "--force", name], check=True, capture_output=True)

    def log(self, name: str) -> Path:
        return self.folder / "log" / f"{name}.log"

    def virtual_host(self, name: str) -> str:
        """A virtual host whose queues are quorum queues unless a client says otherwise, and its address."""
        self.node.control("add_vhost", name, "--default-queue-type", "quorum")
        self.node.control("set_permissions", "-p", name, "leeward", ".*", ".*", ".*")
        return self.node.amqp_uri.replace("/%2F", f"/{name}")

    def describe(self) -> dict[str, Any]:
        return machine.describe(
            rabbitmq=self.node.control("version").strip(),
            postgresql=_postgresql_version(self.server),
            stores={"sqlite": self.folder, **_folder_of(self.database_pid)},
            peers=PEERS_PYTHON,
        )


@contextmanager
def open_lab(say: Say, folder: Path = FOLDER) -> Iterator[Lab]:
    """A fresh lab, for as long as the block runs; nothing of it stays but logs. Raises AlreadyMeasuring."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    binaries = postgresql.find_binaries()
    with ExitStack() as stack:
        _lock(stack, folder.with_suffix(".lock"))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        stack.callback(_tidy_up, folder)
        say("starting a broker" + (" and a PostgreSQL server" if binaries else "; PostgreSQL is not installed"))
        node = local_broker.start(folder / "broker")
        stack.callback(node.stop)
        server = stack.enter_context(postgresql.server(binaries)) if binaries else None
        lab = Lab(folder, node, "", server, say, _postmaster(server.port) if server else None)
        lab.amqp_uri = lab.virtual_host("bench")
        yield lab


def _lock(stack: ExitStack, file: Path) -> None:
    """Two at once would take each other's databases away, and measure nothing but each other."""
    held = stack.enter_context(file.open("w"))
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyMeasuring(f"another run measures from this checkout (it holds {file.name})") from None


def _tidy_up(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "log":
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.is_file():
            entry.unlink()


def rows_in(database_url: str, table: str) -> int:
    """How many rows a table of any database has."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
    finally:
        engine.dispose()
    return found


def _postmaster(port: int) -> int | None:
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if command and os.path.basename(command[0]) == "postgres" and str(port) in command:
            return process.pid
    return None


def _folder_of(pid: int | None) -> dict[str, Path]:
    return {"postgresql": Path(psutil.Process(pid).cwd())} if pid else {}


def _postgresql_version(server: Server | None) -> str:
    if server is None:
        return "not installed"
    engine = create_engine(f"postgresql+psycopg://leeward@127.0.0.1:{server.port}/postgres")
    with engine.connect() as connection:
        found = str(connection.execute(text("SHOW server_version")).scalar_one())
    engine.dispose()
    return found.split()[0]
