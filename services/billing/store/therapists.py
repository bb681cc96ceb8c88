"""Finds therapists' accounts and memberships."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import (
    TherapistId,
)
from services.billing.domain.membership import Membership
from services.billing.domain.therapists import Therapist
from services.billing.store.rows import required


def find_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    return identity_map.find(session, Therapist, therapist_id)


def lock_therapist(session: Session, therapist_id: TherapistId) -> Therapist:
    """A therapist, locked, so that no credit of theirs is set against two invoices. Raises NotFound."""
    return required(identity_map.lock(session, Therapist, therapist_id))


def find_membership(session: Session, therapist_id: TherapistId) -> Membership | None:
    return identity_map.find(session, Membership, therapist_id)
