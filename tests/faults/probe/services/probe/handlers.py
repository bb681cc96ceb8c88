"""What the probe does about each thing it hears: one business row, two ledger lines, one follow-up."""

from __future__ import annotations

from uuid import UUID

from services.probe import points, store
from services.probe.acts import ACTS
from services.probe.dependencies import Dependencies
from services.probe.events import ProbeAsked, ProbeDone, ProbeHinted, ProbeKeyed, Record

from chassis.ports import Timer, UnitOfWork
from contracts.shape import Shape

REMINDED = 1_000_000
"""Added to a number for the effect of its timer, so that the two are told apart."""


class Recorded(Shape):
    number: int


def note(unit: UnitOfWork[Dependencies], event: ProbeAsked) -> None:
    _write(unit, event.run, event.number, event.case_id)
    if event.act in ACTS:
        ACTS[event.act](unit, event)
    unit.emit(ProbeDone(case_id=event.case_id, run=event.run, number=event.number))


def note_once(unit: UnitOfWork[Dependencies], event: ProbeKeyed) -> None:
    """Safe whatever the inbox remembers."""
    _write_once(unit, event)


def ignore(unit: UnitOfWork[Dependencies], event: ProbeHinted) -> None:
    """There is nothing to do."""


def record(unit: UnitOfWork[Dependencies], request: Record) -> Recorded:
    """A command that may be asked for again."""
    _write_once(unit, request)
    return Recorded(number=request.number)


def remind(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    run, number, case_id = str(timer.data["run"]), int(timer.data["number"]) + REMINDED, UUID(timer.key)
    _write(unit, run, number, case_id)
    unit.emit(ProbeDone(case_id=case_id, run=run, number=number))


def _write_once(unit: UnitOfWork[Dependencies], asked: ProbeKeyed | Record) -> None:
    """Goes by the business key."""
    if not _is_known(unit, asked.run, asked.number):
        _write(unit, asked.run, asked.number, asked.case_id)
        unit.emit(ProbeDone(case_id=asked.case_id, run=asked.run, number=asked.number))


def _is_known(unit: UnitOfWork[Dependencies], run: str, number: int) -> bool:
    return "forget_key" not in unit.dependencies.sabotage and store.is_recorded(unit.session, run, number)


def _write(unit: UnitOfWork[Dependencies], run: str, number: int, case_id: UUID) -> None:
    store.record(unit.session, run, number, case_id)
    if "commit_early" in unit.dependencies.sabotage:
        with points.unharmed(unit.session):
            unit.session.commit()
