"""The safeguarding rota: who can be on duty, their turns and leave, and gaps on the days ahead."""

from __future__ import annotations

from datetime import date, timedelta

from chassis.ports import Timer, UnitOfWork
from chassis.workdays import is_bank_holiday
from contracts.commands.notifications import (
    CancelDuty,
    DutyPlanned,
    KeepStaff,
    PlanDuty,
    PlanLeave,
    StaffKept,
)
from contracts.london import day_of
from contracts.sealed import DutyContact
from contracts.vocabulary import DutyId, StaffId
from services.notifications.application.encryption import encrypt, open_sealed
from services.notifications.application.on_duty import schedule_rota_check
from services.notifications.application.queueing import queue_to_office
from services.notifications.dependencies import Dependencies
from services.notifications.domain.rota import Duty, Leave, Staff, check_period, gaps
from services.notifications.domain.templates import Template
from services.notifications.errors import UnknownDuty, UnknownStaff
from services.notifications.store import rota


def check_rota(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Tells the office of each day ahead on which nobody is on duty, every day until somebody is."""
    first, ahead = day_of(unit.now), unit.dependencies.settings.rota_days_ahead
    duties, leave = rota.rota_from(unit.session, first)
    days = [first + timedelta(days=number) for number in range(ahead)]
    found = gaps(duties, leave, days=days, is_bank_holiday=is_bank_holiday)
    if found:
        listed = ",".join(f"{gap.step.value}:{gap.day.isoformat()}" for gap in found)
        queue_to_office(unit, Template.ROTA_GAP, key=first.isoformat(), referral_id=None, data={"gaps": listed})
    schedule_rota_check(unit)


def save_staff(unit: UnitOfWork[Dependencies], request: KeepStaff) -> StaffKept:
    """Adds somebody who can be on duty, or changes how they are reached. Raises NotReadable, IdentityUsedUp."""
    contact = open_sealed(unit, DutyContact, request.contact)
    known = rota.find_new_staff(unit.session, request.staff_id)
    stored = encrypt(unit, request.staff_id, contact)
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
    schedule_rota_check(unit)
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


def _check(unit: UnitOfWork[Dependencies], staff_id: StaffId, starts_on: date, ends_on: date) -> None:
    if rota.find_staff(unit.session, staff_id) is None:
        raise UnknownStaff("Nobody of this identity is known. Please use `keep_staff` first.")
    check_period(starts_on, ends_on)
