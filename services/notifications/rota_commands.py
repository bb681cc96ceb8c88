"""What a person's screen asks about the safeguarding rota, or changes in it."""

from __future__ import annotations

from datetime import date, timedelta

from chassis.ports import Refused, UnitOfWork
from chassis.workdays import is_bank_holiday
from contracts.commands.notifications import (
    CancelDuty,
    DutyPlanned,
    KeepStaff,
    PlanDuty,
    PlanLeave,
    RotaDay,
    ShowRota,
    StaffKept,
)
from contracts.london import day_of
from contracts.sealed import DutyContact
from contracts.vocabulary import DutyId, StaffId
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alerts import LADDER
from services.notifications.domain.rota import Duty, EndsBeforeItBegins, Leave, Staff, check_period, on_duty
from services.notifications.handlers.queries import encrypted, open_sealed
from services.notifications.handlers.rota import look_tomorrow
from services.notifications.store import rota


class UnknownStaff(Refused):
    """Nobody of this identity was kept with `keep_staff`."""


class UnknownDuty(Refused):
    """There is no such turn on the rota."""


class ImpossiblePeriod(Refused):
    """The last day is before the first."""


def keep_staff(unit: UnitOfWork[Dependencies], request: KeepStaff) -> StaffKept:
    """Raises NotReadable, IdentityUsedUp."""
    contact = open_sealed(unit, DutyContact, request.contact)
    known = rota.find_new_staff(unit.session, request.staff_id)
    stored = encrypted(unit, request.staff_id, contact)
    if known is None:
        unit.session.add(Staff(id=request.staff_id, contact=stored))
    else:
        known.contact = stored
    return StaffKept(staff_id=request.staff_id)


def plan_duty(unit: UnitOfWork[Dependencies], request: PlanDuty) -> DutyPlanned:
    """Puts somebody on the rota, which is looked at for gaps every day from then on.

    Raises UnknownStaff, ImpossiblePeriod.
    """
    _check(unit, request.staff_id, request.starts_on, request.ends_on)
    duty = Duty(
        id=DutyId(unit.new_id()),
        staff_id=request.staff_id,
        step=request.step,
        starts_on=request.starts_on,
        ends_on=request.ends_on,
        bank_holidays=request.bank_holidays,
    )
    rota.add_duty(unit.session, duty)
    look_tomorrow(unit)
    return DutyPlanned(duty_id=duty.id)


def cancel_duty(unit: UnitOfWork[Dependencies], request: CancelDuty) -> DutyPlanned:
    """Raises UnknownDuty."""
    if not rota.remove_duty(unit.session, request.duty_id):
        raise UnknownDuty("There is no such turn on the rota. Please check the identifier.")
    return DutyPlanned(duty_id=request.duty_id)


def plan_leave(unit: UnitOfWork[Dependencies], request: PlanLeave) -> StaffKept:
    """Raises UnknownStaff, ImpossiblePeriod."""
    _check(unit, request.staff_id, request.starts_on, request.ends_on)
    leave = Leave(staff_id=request.staff_id, starts_on=request.starts_on, ends_on=request.ends_on)
    rota.add_leave(unit.session, unit.new_id(), leave)
    return StaffKept(staff_id=request.staff_id)


def show_rota(unit: UnitOfWork[Dependencies], request: ShowRota) -> list[RotaDay]:
    first = day_of(unit.now)
    duties, leave = rota.rota_from(unit.session, first)
    return [
        RotaDay(
            day=day,
            step=step,
            staff_id=on_duty(duties, leave, step=step, day=day, is_bank_holiday=is_bank_holiday(day)),
        )
        for day in (first + timedelta(days=number) for number in range(request.days))
        for step in LADDER
    ]


def _check(unit: UnitOfWork[Dependencies], staff_id: StaffId, starts_on: date, ends_on: date) -> None:
    if rota.find_staff(unit.session, staff_id) is None:
        raise UnknownStaff("Nobody of this identity is known. Please use `keep_staff` first.")
    try:
        check_period(starts_on, ends_on)
    except EndsBeforeItBegins as refusal:
        raise ImpossiblePeriod(str(refusal)) from None
