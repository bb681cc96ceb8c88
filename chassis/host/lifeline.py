"""Ends a process when whoever started it is gone, however that one went: a pipe tells, of which it holds the other end.

`python -m chassis.host.lifeline FD MODULE ARGUMENTS…` runs a module so; FD is the end of the pipe that is read.
Nothing is ever written into it: a read returns when the other end is closed, as the system does for what is killed.
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
"""Nothing is lost by a kill, and nobody is left to wait for it."""


def end_with_owner(lifeline: int) -> None:
    """Has this process ended once the other end of the pipe is closed: asked first, and killed if it takes long."""
    threads, clock = _unpatched()

    def watch() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        clock.sleep(PATIENCE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threads.Thread(target=watch, daemon=True, name="lifeline").start()


def _unpatched() -> tuple[Any, Any]:
    """Python's own threads, also where eventlet has put its own in their place: these may wait in a read."""
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
