"""Safeguarding concerns."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import ConcernId, ReferralId
from services.intake.domain.safeguarding import Concern
from services.intake.store.tables import concerns


def find_concern(session: Session, concern_id: ConcernId) -> Concern | None:
    return identity_map.find(session, Concern, concern_id)


def concerns_of(session: Session, referral_id: ReferralId) -> list[Concern]:
    wanted = select(Concern).where(concerns.c.referral_id == referral_id).order_by(concerns.c.raised_at, concerns.c.id)
    return list(session.execute(wanted).scalars())


def has_open_concern(session: Session, referral_id: ReferralId) -> bool:
    """Whether somebody has still to take a safeguarding concern in hand."""
    wanted = select(concerns.c.id).where(concerns.c.referral_id == referral_id, concerns.c.acknowledged_at.is_(None))
    return session.execute(wanted.limit(1)).first() is not None
