"""Forks services from a process that has imported their common modules, which takes most of a start's time.

`python -m chassis.host.prefork LIFELINE` reads orders, one JSON object a line, and answers each with the new process's
id. It doesn't supervise these processes: its client watches them by their ids. The server ends when its input does, and
the processes end with the process that holds the lifeline's other end; see `chassis.host.lifeline`.
"""

from __future__ import annotations

import json
import os
import pkgutil
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import contracts.commands
import contracts.events
from chassis.host import run
from chassis.host.lifeline import end_with_owner


def _become(order: Mapping[str, Any], lifeline: int) -> None:
    """Turns a fork of the server into a process of its own: its own session, environment and log."""
    from eventlet import hubs

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for theirs, ours in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(theirs, ours)
    for opened in (log, nothing):
        os.close(opened)
    hubs.get_hub().poll.close()  # an event loop of its own, and nothing left of the prefork server's
    hubs.use_hub()
    os.environ.clear()
    os.environ.update(order["environment"])
    end_with_owner(lifeline)


def _load_contracts() -> None:
    """Imports every contract, because each service uses most of them."""
    for package in (contracts.commands, contracts.events):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)


def main(lifeline: int) -> int:
    _load_contracts()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps its children: it never waits for them
    for line in sys.stdin.buffer:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(order, lifeline)
            return run.main(order["service"])
        os.write(sys.stdout.fileno(), f"{pid}\n".encode())  # in one piece, which a buffer doesn't promise
    return run.STOPPED


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
