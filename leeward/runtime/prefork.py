"""Starts services through `chassis.host.prefork`: forks of a process that has already loaded what they share."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from leeward.runtime.processes import lifeline

ROOT = Path(__file__).parents[2]
"""The checkout, from which the services are importable."""

LOADS_FASTER = {"EVENTLET_NO_GREENDNS": "yes"}
"""Leaves out eventlet's own DNS resolver, which is slow to import; on one machine hardly any name is resolved."""

CAN_FORK = hasattr(os, "pidfd_open")
"""Whether the system can watch a process that isn't a child of this one, as Linux can."""


class Process(Protocol):
    """What the supervisor needs of a process: satisfied by `Popen` and `ForkedService`."""

    pid: int

    def poll(self) -> int | None:
        """None as long as it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Raises TimeoutExpired."""

    def send_signal(self, signal: int, /) -> None:
        """Does nothing if it has ended."""


class ForkedService:
    """A process that the prefork server forked. Its exit code is not known: once it has ended, 0 stands for any."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = None
        with suppress(ProcessLookupError):  # it has ended already
            self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        return 0 if self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return 0

    def send_signal(self, signal_: int, /) -> None:
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal_)

    def __del__(self) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def _has_ended(self, timeout: float | None) -> bool:
        return self._handle is None or bool(select.select([self._handle], [], [], timeout)[0])


class PreforkServer:
    """The process that services are forked from. It loads in the background after it is created."""

    def __init__(self) -> None:
        (orders, self._orders), (self._answers, answers) = os.pipe(), os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chassis.host.prefork", str(lifeline())],
            env={**LOADS_FASTER, **os.environ},
            cwd=ROOT,
            stdin=orders,
            stdout=answers,
            start_new_session=True,
            pass_fds=(lifeline(),),
        )
        os.close(orders)
        os.close(answers)
        self._closed = False

    def start(self, service: str, environment: Mapping[str, str], log: Path) -> ForkedService:
        """Forks a service that writes to this log. Raises BrokenPipeError if the prefork server is gone."""
        order = {"service": service, "environment": dict(environment), "log": str(log.absolute())}
        os.write(self._orders, json.dumps(order).encode() + b"\n")
        answer = os.read(self._answers, 64)
        if not answer:
            raise BrokenPipeError("the prefork server has ended")
        return ForkedService(int(answer))

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def close(self) -> None:
        """Ends the prefork server, if it hasn't ended; the services that it forked go on."""
        for opened in (self._orders, self._answers) if not self._closed else ():
            os.close(opened)
        self._closed = True
        self._process.wait()


def open_prefork_server() -> PreforkServer | None:
    """A prefork server, where the system allows one."""
    return PreforkServer() if CAN_FORK else None


@contextmanager
def opened() -> Iterator[PreforkServer | None]:
    """As `open_prefork_server`, for as long as the block runs."""
    prefork_server = open_prefork_server()
    try:
        yield prefork_server
    finally:
        if prefork_server:
            prefork_server.close()
