"""How what is started here is kept from outlasting whoever started it, and how a process is known again."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from signal import Signals
from typing import IO

from leeward.runtime import guardian

ENDS_WITHIN_SECONDS = 40
"""So long, at most, what a killed process left behind takes to end by itself."""

POLL_SECONDS = 0.1
PROC = Path("/proc")
"""Where Linux tells of processes; other systems have none."""

STARTTIME = 18
"""Which of the figures after a process's state that is; see proc(5)."""


class Held(Exception):
    """A folder is in use. `by` says by whom, as far as is known: the `pid` of whoever took it, and what it has said.

    `by_living` is false if that process is gone, and what holds the folder was left behind by it.
    """

    def __init__(self, by: Mapping[str, str], *, by_living: bool) -> None:
        super().__init__(str(by))
        self.by, self.by_living = by, by_living


@cache
def lifeline() -> int:
    """The end to read of a pipe that this process holds open for as long as it lives; see `chassis.host.lifeline`."""
    reading, _writing = os.pipe()
    return reading


def tied(module: str, *arguments: str, python: str | Path = sys.executable) -> list[str]:
    """The command that runs a module for as long as this process lives. Whoever runs it passes `lifeline()` on."""
    return [str(python), "-m", "chassis.host.lifeline", str(lifeline()), module, *arguments]


def guarded(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    output: Path,
    by: Signals = Signals.SIGTERM,
    patience_seconds: int,
    pass_on: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Runs a program that ends when this process does, in a session of its own, where no Ctrl-C reaches it.

    The process that is returned leads the program's group. `pass_on` are open files that the program holds too.
    """
    with output.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__, str(int(by)), str(patience_seconds), *command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=tuple(pass_on),
        )


def hold(folder: Path) -> IO[str]:
    """Locks a folder for this process, and whoever it passes the open file on to, until the last of them is gone.

    What was left behind by a process that is gone ends by itself, and is waited for. Raises Held while somebody else
    holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("a+")
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    while not _locks(file):
        holder = _holder(file)
        by_living = is_same(int(holder.get("pid", 0)), holder.get("started", ""))
        is_another = by_living and holder["pid"] != str(os.getpid())
        if is_another or time.monotonic() > deadline:
            file.close()
            raise Held(holder, by_living=by_living)
        time.sleep(POLL_SECONDS)
    say_who_holds(file)
    return file


def say_who_holds(file: IO[str], **about: str) -> None:
    """Writes into a lock what somebody who finds it held should know."""
    me = {"pid": str(os.getpid()), "started": started_at(os.getpid())}
    file.truncate(0)
    file.write(json.dumps(me | about))
    file.flush()


def started_at(pid: int) -> str:
    """When a process was started: another that is given the same number later was so at another time.

    Empty if there is none, or it has ended and its parent hasn't asked how.
    """
    if not (PROC / "self").exists():
        return _ask_ps("lstart", pid)
    try:
        # What ps makes of this wavers by a second when the clock is set.
        state, *figures = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if state in "ZX" else f"{figures[STARTTIME]} ticks after the machine"


def is_same(pid: int, started: str) -> bool:
    """Whether the process that had this number then is still there."""
    return bool(started) and started_at(pid) == started


def command_of(pid: int) -> str:
    return _ask_ps("args", pid)


def wait_until(condition: Callable[[], bool]) -> bool:
    """Whether something came true while what is left of a killed process had time to end."""
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _ask_ps(column: str, pid: int) -> str:
    command, environment = ["ps", "-o", f"{column}=", "-p", str(pid)], {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout.strip()


def _locks(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> dict[str, str]:
    file.seek(0)
    with suppress(ValueError):
        return dict(json.loads(file.read()))
    return {}  # it has only just been taken
