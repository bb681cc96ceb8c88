"""Finds therapists, and keeps the tables by which a search finds them."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
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


def first_therapists(session: Session, limit: int, after: TherapistId | None = None) -> list[Therapist]:
    """By identifier, not locked."""
    session.flush()
    id_ = therapists.c.id
    wanted = select(Therapist).order_by(id_).limit(limit)
    return list(session.execute(wanted.where(id_ > after) if after else wanted).scalars())


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
