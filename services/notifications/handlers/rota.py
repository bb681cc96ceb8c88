"""Who is on duty now, and whether somebody will be on the coming days."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from chassis.ports import Timer, Unit
from chassis.workdays import LONDON, is_bank_holiday
from contracts.sealed import DutyContact
from contracts.vocabulary import AlertStep, StaffId
from services.notifications import store
from services.notifications.domain.limits import next_digest
from services.notifications.domain.rota import gaps, on_duty
from services.notifications.domain.templates import Template
from services.notifications.handlers.queueing import queue_to_office
from services.notifications.settings import Person
from services.notifications.tools import Tools

LOOK_AT_ROTA, ROTA = "look_at_rota", "rota"


def contact_on_duty(unit: Unit[Tools], step: AlertStep) -> Person:
    """Who is alerted at this step now: from the rota, or the mailbox of the settings if the rota has nobody."""
    staff_id = _whose_turn(unit, step, today(unit.now))
    if staff_id is None:
        return unit.tools.settings.safeguarding[step]
    staff = store.get_staff(unit.session, staff_id)
    contact = unit.tools.vault.decrypt(unit.session, staff_id, DutyContact, staff.contact)
    return Person(contact.email, contact.telephone)


def look_at_rota(unit: Unit[Tools], timer: Timer) -> None:
    """Tells the office of each day ahead on which nobody is on duty, every day until somebody is."""
    first, ahead = today(unit.now), unit.tools.settings.rota_days_ahead
    duties, leave = store.rota_from(unit.session, first)
    days = [first + timedelta(days=number) for number in range(ahead)]
    found = gaps(duties, leave, days=days, is_bank_holiday=is_bank_holiday)
    if found:
        told = ",".join(f"{gap.step.value}:{gap.day.isoformat()}" for gap in found)
        queue_to_office(unit, Template.ROTA_GAP, key=first.isoformat(), referral_id=None, data={"gaps": told})
    look_tomorrow(unit)


def look_tomorrow(unit: Unit[Tools]) -> None:
    unit.set_timer(LOOK_AT_ROTA, ROTA, next_digest([unit.tools.settings.rota_looked_at], at=unit.now))


def today(now: datetime) -> date:
    return now.astimezone(LONDON).date()


def _whose_turn(unit: Unit[Tools], step: AlertStep, day: date) -> StaffId | None:
    duties, leave = store.rota_from(unit.session, day)
    return on_duty(duties, leave, step=step, day=day, is_bank_holiday=is_bank_holiday(day))
