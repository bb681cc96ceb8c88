"""Child processes that end with their parent, folder locks, and telling processes apart by their start time."""

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
"""The longest time that children of a killed process take to end by themselves."""

POLL_SECONDS = 0.1
PROC = Path("/proc")
"""Linux's process information; other systems have none."""

STARTTIME = 18
"""The index of `starttime` among the fields of /proc/PID/stat after the state; see proc(5)."""


class FolderLocked(Exception):
    """A folder is locked. `holder` is what the lock file says: the `pid` that locked it, and fields of `write_holder`.

    `holder_lives` is false if that process is gone and a child that it left behind still has the lock.
    """

    def __init__(self, holder: Mapping[str, str], *, holder_lives: bool) -> None:
        super().__init__(str(holder))
        self.holder, self.holder_lives = holder, holder_lives


@cache
def lifeline() -> int:
    """The read end of a pipe whose write end closes when this process ends; see `chassis.host.lifeline`."""
    reading, _writing = os.pipe()
    return reading


def tied_command(module: str, *arguments: str, python: str | Path = sys.executable) -> list[str]:
    """The command that runs a module for as long as this process lives. Pass the open file `lifeline()` on to it."""
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
    """Runs a program that ends when this process does, in a session of its own, so that Ctrl-C doesn't reach it.

    The process that is returned leads the program's group. `by` is the signal that ends it, `patience_seconds` how long
    it may take then before it is killed. `pass_on` are open files that the program inherits.
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


def lock_folder(folder: Path) -> IO[str]:
    """Locks a folder until this process, and every process that inherits the open file, has ended or closed it.

    Waits for the children of a process that is gone, because they end by themselves. Raises FolderLocked while another
    process has the lock, or if what was left behind doesn't end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("a+")
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    while not _try_lock(file):
        holder = _holder(file)
        holder_lives = is_same(int(holder.get("pid", 0)), holder.get("started", ""))
        is_another = holder_lives and holder["pid"] != str(os.getpid())
        if is_another or time.monotonic() > deadline:
            file.close()
            raise FolderLocked(holder, holder_lives=holder_lives)
        time.sleep(POLL_SECONDS)
    write_holder(file)
    return file


def write_holder(file: IO[str], **about: str) -> None:
    """Writes into the lock file which process has the lock, and `about`, for whoever finds it locked."""
    me = {"pid": str(os.getpid()), "started": started_at(os.getpid())}
    file.truncate(0)
    file.write(json.dumps(me | about))
    file.flush()


def started_at(pid: int) -> str:
    """When a process was started, as text to compare: a later process with the same number has another start time.

    Empty if there is no such process, or only a zombie.
    """
    if not (PROC / "self").exists():
        return _ask_ps("lstart", pid)
    try:
        # Not from ps, whose start time shifts by a second when the clock is set.
        state, *figures = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if state in "ZX" else f"{figures[STARTTIME]} ticks after the machine"


def is_same(pid: int, started: str) -> bool:
    """Whether the process with this number is still the one that was started then."""
    return bool(started) and started_at(pid) == started


def command_of(pid: int) -> str:
    return _ask_ps("args", pid)


def wait_until(condition: Callable[[], bool]) -> bool:
    """Waits for a condition as long as children of a killed process may take to end; false if it stays false."""
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _ask_ps(column: str, pid: int) -> str:
    command, environment = ["ps", "-o", f"{column}=", "-p", str(pid)], {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout.strip()


def _try_lock(file: IO[str]) -> bool:
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
