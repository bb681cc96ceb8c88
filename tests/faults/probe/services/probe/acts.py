"""How the probe misbehaves when an event asks it to."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from eventlet import patcher
from services.probe import store
from services.probe.dependencies import Dependencies
from services.probe.events import ProbeAsked

from chassis.ports import Invalid, NotYet, UnitOfWork

REMIND_AFTER = timedelta(minutes=10)
_tried: Counter[tuple[str, int]] = Counter()


class OutOfOrder(Exception):
    """Whatever a handler trips over."""


def nap(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    """Takes its time, and lets the rest of the process go on."""
    (unit.dependencies.control / "busy").touch()
    time.sleep(event.seconds)


def hog(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    """Takes its time and lets nothing else run: no heartbeat is answered."""
    (unit.dependencies.control / "busy").touch()
    patcher.original("time").sleep(event.seconds)


def gate(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    """Waits until the test opens the gate, for `seconds` at most."""
    (unit.dependencies.control / "busy").touch()
    until = time.monotonic() + event.seconds
    while not (unit.dependencies.control / "open").exists() and time.monotonic() < until:
        time.sleep(0.05)


def fail(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    """Fails as often as it is asked to in the life of this process."""
    _tried[event.run, event.number] += 1
    if _tried[event.run, event.number] <= event.times:
        raise OutOfOrder


def not_yet(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    _tried[event.run, event.number] += 1
    if _tried[event.run, event.number] <= event.times:
        raise NotYet("something else has to come first")


def invalid(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    """Can't be handled until a person has mended something."""
    if not (unit.dependencies.control / "mended").exists():
        raise Invalid("nobody has mended it yet")


def crash(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    """Takes the whole process down, every time."""
    os.kill(os.getpid(), signal.SIGKILL)


def transfer(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    """Locks one account and then, after a while, the other."""
    store.lock_balance(unit.session, "fees")
    (unit.dependencies.control / "busy").touch()
    time.sleep(event.seconds)
    store.lock_balance(unit.session, "debtors")


def remind(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    unit.set_timer("remind", event.case_id, unit.now + REMIND_AFTER, {"run": event.run, "number": event.number})


ACTS: Mapping[str, Callable[[UnitOfWork[Dependencies], ProbeAsked], None]] = MappingProxyType(
    {one.__name__: one for one in (nap, hog, gate, fail, not_yet, invalid, crash, transfer, remind)}
)
