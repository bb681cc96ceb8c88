"""Contestants' processes: started, paused, measured and ended as whole trees."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent
STOP_SECONDS = 20
MEGABYTE = 1_000_000

Process = subprocess.Popen[bytes]


def launch(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
    """Starts a command in a session of its own, so that it and its children can be signalled together.

    Where the system can, it is killed when the thread that launched it is gone. Nothing stands between them that would
    be measured too.
    """
    tied = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [*tied, *command],
            env={**os.environ, **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def stop(process: Process) -> None:
    """Asks a tree to end, and kills what is left of it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGCONT)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def paused(*processes: Process) -> Iterator[None]:
    """Nothing of these trees runs inside the block."""
    for process in processes:
        os.killpg(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGCONT)


def cpu_seconds(*pids: int) -> float:
    """CPU time that these processes and all their children have used so far, ended and reaped ones included."""
    total = 0.0
    for one in _trees(pids):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def rss_mb(*pids: int) -> float:
    """Resident memory of these processes and their children, in megabytes (10^6 bytes)."""
    total = 0
    for one in _trees(pids):
        with suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total / MEGABYTE


def _trees(pids: Sequence[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid)
            yield parent
            yield from parent.children(recursive=True)
