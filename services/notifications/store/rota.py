"""Finds and stores who can be on duty, their turns and their leave."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from uuid import UUID

from sqlalchemy import (
    select,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import (
    DutyId,
    StaffId,
)
from services.notifications.domain.rota import Duty, Leave, Staff
from services.notifications.store.tables import duties, leave, staff


class NoSuchStaff(LookupError):
    """There is nobody of this identity on the staff."""


def find_staff(session: Session, staff_id: StaffId) -> Staff | None:
    return identity_map.lock(session, Staff, staff_id)


def find_new_staff(session: Session, staff_id: StaffId) -> Staff | None:
    """As `find_staff`; if there is nobody, the identifier is locked, so that nobody else adds them at the same time."""
    identity_map.lock_key(session, Staff, staff_id)
    return find_staff(session, staff_id)


def all_staff(session: Session) -> list[StaffId]:
    """Everybody who can be put on the rota, by identifier."""
    return [StaffId(id_) for id_ in session.execute(select(staff.c.id).order_by(staff.c.id)).scalars()]


def get_staff(session: Session, staff_id: StaffId) -> Staff:
    """Raises NoSuchStaff."""
    found = identity_map.find(session, Staff, staff_id)
    if found is None:
        raise NoSuchStaff(f"there is nobody {staff_id} on the staff")
    return found


def add_duty(session: Session, duty: Duty) -> None:
    session.execute(duties.insert().values(**asdict(duty)))


def remove_duty(session: Session, duty_id: DutyId) -> bool:
    """False if there was no such duty."""
    removed = session.execute(duties.delete().where(duties.c.id == duty_id).returning(duties.c.id))
    return removed.first() is not None


def add_leave(session: Session, id: UUID, period: Leave) -> None:
    session.execute(leave.insert().values(id=id, **asdict(period)))


def rota_from(session: Session, day: date) -> tuple[list[Duty], list[Leave]]:
    """All turns and all leave that are not over before a day."""
    turns = session.execute(select(duties).where(duties.c.ends_on >= day))
    away = session.execute(select(leave.c.staff_id, leave.c.starts_on, leave.c.ends_on).where(leave.c.ends_on >= day))
    return [Duty(**row._mapping) for row in turns], [Leave(**row._mapping) for row in away]
