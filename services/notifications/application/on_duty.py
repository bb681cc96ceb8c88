"""Who is on duty now, and when the rota is looked at for gaps."""

from __future__ import annotations

from dataclasses import replace

from chassis.ports import UnitOfWork
from chassis.workdays import is_bank_holiday
from contracts.london import day_of
from contracts.sealed import DutyContact
from contracts.vocabulary import AlertStep, StaffId
from services.notifications.dependencies import Dependencies
from services.notifications.domain.limits import next_digest
from services.notifications.domain.rota import on_duty
from services.notifications.settings import Person
from services.notifications.store import rota

CHECK_ROTA, ROTA = "look_at_rota", "rota"


def person_on_duty(unit: UnitOfWork[Dependencies], step: AlertStep) -> Person:
    """Who is alerted at this step now: from the rota, or the mailbox in the settings if nobody is on the rota."""
    staff_id = staff_on_duty(unit, step)
    if staff_id is None:
        person = unit.dependencies.settings.safeguarding[step]
        return person if person.name else replace(person, name=step.value.replace("_", " "))
    staff = rota.get_staff(unit.session, staff_id)
    contact = unit.dependencies.vault.decrypt(unit.session, staff_id, DutyContact, staff.contact)
    return Person(contact.email, contact.telephone, contact.name)


def schedule_rota_check(unit: UnitOfWork[Dependencies]) -> None:
    """For the next time of day that the settings name."""
    unit.set_timer(CHECK_ROTA, ROTA, next_digest([unit.dependencies.settings.rota_looked_at], at=unit.now))


def staff_on_duty(unit: UnitOfWork[Dependencies], step: AlertStep) -> StaffId | None:
    """Who on the rota is on duty for this step today, in London; None for nobody."""
    day = day_of(unit.now)
    duties, leave = rota.rota_from(unit.session, day)
    return on_duty(duties, leave, step=step, day=day, is_bank_holiday=is_bank_holiday(day))
