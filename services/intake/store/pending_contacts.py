"""Contact changes that a client asked for, until they are confirmed or void."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import ContactChangeState, Party, ReferralId
from services.intake.domain.contact_change import ContactChange


def find_contact_change(session: Session, referral_id: ReferralId) -> ContactChange | None:
    """Locked until the unit ends."""
    return identity_map.lock(session, ContactChange, referral_id)


def new_contact_change(session: Session, referral_id: ReferralId, *, at: datetime) -> ContactChange:
    change = ContactChange(
        referral_id=referral_id,
        whose=Party.CLIENT,
        content=None,
        old_is_safe=False,
        code_mark=None,
        tries_left=0,
        asked_at=at,
        state=ContactChangeState.CODE_SENT,
        codes_since=at,
    )
    session.add(change)
    return change
