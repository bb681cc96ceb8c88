"""A private PostgreSQL server for the length of a test run, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leeward.ports import free_ports

SETTINGS = "-c fsync=on -c max_connections=200 -c listen_addresses=127.0.0.1 -c log_min_messages=fatal"


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    bin: Path

    def create_database(self, name: str) -> str:
        """Makes an empty database and returns its URL."""
        command = [str(self.bin / "createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "leeward", name]
        subprocess.run(command, check=True, capture_output=True)
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
    as_user = _not_as_root(folder)
    data, (port,) = folder / "data", free_ports(1)
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "leeward", "--auth=trust", "-E", "UTF8"]
    subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd=folder)
    pg_ctl = [*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-w", "-t", "60", "-l", str(folder / "log")]
    options = f"{SETTINGS} -p {port} -k {folder}"
    subprocess.run([*pg_ctl, "-o", options, "start"], check=True, capture_output=True, cwd=folder)
    try:
        yield Server(port, binaries)
    finally:
        subprocess.run([*pg_ctl, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=folder)


def _not_as_root(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root, so root lends the folder to the package's own user."""
    if os.geteuid() != 0:
        return []
    postgres = pwd.getpwnam("postgres")
    os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
