"""Ends a process when the process that started it has ended, even if that was killed.

The owner holds the write end of a pipe and this process reads from it. Nothing is ever written: the read returns when
the write end is closed, which the system does when the owner ends. `python -m chassis.host.lifeline FD MODULE
ARGUMENTS…` runs a module in this way; FD is the read end.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from typing import Any

PATIENCE_SECONDS = 5.0
"""From SIGTERM to SIGKILL. Short, because a kill loses nothing, and the owner isn't there to wait for a clean end."""


def end_with_owner(lifeline: int) -> None:
    """Ends this process once the pipe's other end is closed: by SIGTERM, and after PATIENCE_SECONDS by SIGKILL."""
    threads, clock = _unpatched()

    def watch() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        clock.sleep(PATIENCE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threads.Thread(target=watch, daemon=True, name="lifeline").start()


def _unpatched() -> tuple[Any, Any]:
    """The original `threading` and `time`, even if eventlet has replaced them: a real thread may block in a read."""
    if "eventlet" not in sys.modules:
        return threading, time
    from eventlet import patcher

    return patcher.original("threading"), patcher.original("time")


def main() -> None:
    lifeline, module = int(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    end_with_owner(lifeline)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
