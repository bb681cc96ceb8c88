"""A private PostgreSQL server for the length of a test run, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leeward.runtime.free_ports import free_ports
from leeward.runtime.processes import guarded

SETTINGS = "-c fsync=on -c max_connections=200 -c listen_addresses=127.0.0.1 -c log_min_messages=fatal"
START_SECONDS, STOP_SECONDS = 60, 10


@dataclass
class Server:
    """A server, which ends when this process does, however that goes. `as_user` begins every command on its files."""

    port: int
    bin: Path
    folder: Path
    as_user: Sequence[str]
    process: subprocess.Popen[bytes] | None = None

    def _tablespace(self, name: str, folder: Path) -> str:
        _not_as_root(folder)
        self._ask("psql", "-d", "postgres", "-c", f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        return name

    def _ask(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / program), "-h", "127.0.0.1", "-p", str(self.port), "-U", "leeward", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def start(self) -> None:
        self.process = guarded(
            [*self.as_user, str(self.bin / "postgres"), "-D", str(self._data), *self._options],
            environment=os.environ,
            folder=self.folder,
            output=self.folder / "log",
            by=signal.SIGINT,  # a fast shutdown, which waits for no client
            patience_seconds=STOP_SECONDS,
        )
        is_ready = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(is_ready).returncode:
            may_come = self.process.poll() is None and time.monotonic() < deadline
            assert may_come, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, as if the power had gone: what was committed is recovered at the next start."""
        assert self.process
        stop = [*self.as_user, str(self.bin / "pg_ctl"), "-D", str(self._data), "-m", "immediate", "-w", "stop"]
        subprocess.run(stop, check=True, capture_output=True, cwd=self.folder)
        self.process.communicate()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _options(self) -> list[str]:
        return [*SETTINGS.split(), "-p", str(self.port), "-k", str(self.folder)]

    def create_database(self, name: str, *, folder: Path | None = None) -> str:
        """Makes an empty database, with its files in a folder elsewhere if one is given, and returns its URL."""
        where = [] if folder is None else ["--tablespace", self._tablespace(name, folder)]
        self._ask("createdb", *where, name)
        return f"postgresql+psycopg://leeward@127.0.0.1:{self.port}/{name}"


def find_binaries() -> Path | None:
    """Where the newest installed PostgreSQL has its server, or None if there is none."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


@contextmanager
def server(binaries: Path) -> Iterator[Server]:
    """A fresh server, gone without a trace afterwards."""
    # Not in pytest's folders: those are root's alone, and too long for the name of a socket.
    with tempfile.TemporaryDirectory(prefix="leeward-pg-") as folder:
        yield from _serve(binaries, Path(folder))


def _serve(binaries: Path, folder: Path) -> Iterator[Server]:
    as_user, (port,) = _not_as_root(folder), free_ports(1)
    initdb = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "leeward", "--auth=trust", "-E", "UTF8"]
    subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd=folder)
    started = Server(port, binaries, folder, as_user)
    started.start()
    try:
        yield started
    finally:
        started.stop()


def _not_as_root(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root, so root lends the folder to the package's own user."""
    if os.geteuid() != 0:
        return []
    postgres = pwd.getpwnam("postgres")
    os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
