"""Finds therapists, and keeps the tables by which a search finds them."""

from __future__ import annotations

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.commands.matching import ListTherapists
from contracts.vocabulary import (
    TherapistId,
)
from services.matching.domain.therapist import Therapist
from services.matching.store.tables import (
    therapist_groups,
    therapist_languages,
    therapists,
)


def read_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    """Not locked."""
    return identity_map.find(session, Therapist, therapist_id)


def find_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    return identity_map.lock(session, Therapist, therapist_id)


def find_new_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    """As `find_therapist`; if there is none, nobody else admits them until the unit ends."""
    identity_map.lock_key(session, Therapist, therapist_id)
    return find_therapist(session, therapist_id)


def first_therapists(session: Session, limit: int) -> list[Therapist]:
    """By identifier, not locked."""
    session.flush()
    return list(session.execute(select(Therapist).order_by(therapists.c.id).limit(limit)).scalars())


def page_of_therapists(session: Session, asked: ListTherapists) -> list[Therapist]:
    """Those that are asked for, by identifier, not locked."""
    session.flush()
    wanted = select(Therapist).order_by(therapists.c.id).limit(asked.limit)
    if asked.after is not None:
        wanted = wanted.where(therapists.c.id > asked.after)
    if asked.competence is not None:
        wanted = wanted.where(therapists.c.competence == asked.competence)
    if asked.suspended is not None:
        wanted = wanted.where(therapists.c.suspended.is_(asked.suspended))
    if asked.client_group is not None:
        takes = select(therapist_groups.c.therapist_id).where(therapist_groups.c.client_group == asked.client_group)
        wanted = wanted.where(therapists.c.id.in_(takes))
    if asked.area is not None:
        wanted = wanted.where(
            or_(*(therapists.c.outward_code.startswith(f"{asked.area}{digit}") for digit in range(10)))
        )
    return list(session.execute(wanted).scalars())


def index_therapist(session: Session, therapist: Therapist) -> None:
    """Writes the rows by which searches find a therapist: client groups and languages."""
    session.flush()
    here = {"latitude": therapist.latitude, "longitude": therapist.longitude}
    for table, column, values, place in (
        (therapist_groups, "client_group", therapist.client_groups, here),
        (therapist_languages, "language", therapist.languages, {}),
    ):
        session.execute(delete(table).where(table.c.therapist_id == therapist.id))
        rows = [{column: value, "therapist_id": therapist.id, **place} for value in sorted(set(values))]
        session.execute(table.insert(), rows)
