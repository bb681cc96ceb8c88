"""Contact changes that a client asked for, until they are confirmed or void."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import ContactChangeState, Party, ReferralId
from services.intake.domain.contact_change import ContactChange
from services.intake.store.tables import contact_changes
from services.intake.store.tables import referrals as referral_table


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


def is_waiting(session: Session, referral_id: ReferralId) -> bool:
    """Whether a person has to make sure of a new contact of this referral."""
    state = select(contact_changes.c.state).where(contact_changes.c.referral_id == referral_id)
    return session.execute(state).scalar_one_or_none() is ContactChangeState.WITH_A_PERSON


def list_waiting(session: Session, *, limit: int) -> Sequence[Row[Any]]:
    """Those that a person has to make sure of, with what is known of their referrals."""
    change, referral = contact_changes.c, referral_table.c
    wanted: Select[Any] = (
        select(change.referral_id, change.whose, change.asked_at, referral.reference, referral.client_group)
        .join(referral_table, referral.id == change.referral_id)
        .where(change.state == ContactChangeState.WITH_A_PERSON)
        .order_by(change.asked_at, change.referral_id)
        .limit(limit)
    )
    return session.execute(wanted).all()
