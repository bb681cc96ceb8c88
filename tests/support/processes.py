"""Processes that tests start: each ends when the test run does, also if that is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from leeward.runtime.processes import lifeline, tied_command


def run_module(
    *module_and_arguments: str, python: str | Path = sys.executable, **options: Any
) -> subprocess.Popen[bytes]:
    """Runs a Python module as `python -m` does. `options` are those of `subprocess.Popen`."""
    return subprocess.Popen(tied_command(*module_and_arguments, python=python), pass_fds=(lifeline(),), **options)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_that_mention(words: str) -> list[str]:
    """The commands of all processes that have these words in them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words in command:
            found.append(command)
    return found
