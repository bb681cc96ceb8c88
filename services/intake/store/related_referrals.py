"""Which referrals belong to one person."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Column, or_, select
from sqlalchemy.orm import Session

from contracts.vocabulary import ReferralId
from services.intake.domain.referral import Referral
from services.intake.domain.states import State
from services.intake.store.referrals import get_referral
from services.intake.store.tables import referrals

Tie = Column[UUID | None]

SAME_REQUEST: tuple[Tie, ...] = (referrals.c.merged_into,)

SAME_PERSON: tuple[Tie, ...] = (referrals.c.merged_into, referrals.c.previous_id)
"""The columns that tie one referral of a person to another. Those who asked again are one person, not one request."""


def tied_to(session: Session, referral_id: ReferralId, ties: Sequence[Tie]) -> list[Referral]:
    """A referral and all that these columns tie to it, directly or by way of others, without the erased; locked."""
    locked = [get_referral(session, id_) for id_ in sorted(ids_tied_to(session, referral_id, ties))]
    return [referral for referral in locked if referral.state is not State.ERASED]


def ids_tied_to(session: Session, referral_id: ReferralId, ties: Sequence[Tie]) -> set[ReferralId]:
    """As `tied_to`, with the erased, and without locking any."""
    session.flush()
    found: set[ReferralId] = set()
    new = {referral_id}
    while new:
        found |= new
        new = _next_to(session, new, ties) - found
    return found


def neighbours_of(session: Session, referral: Referral) -> list[Referral]:
    """The referral that this one takes up or was merged into, and those that take it up or were merged into it."""
    table = referrals.c
    later = or_(table.previous_id == referral.id, table.merged_into == referral.id)
    earlier = [id_ for id_ in (referral.previous_id, referral.merged_into) if id_ is not None]
    wanted = select(Referral).where(or_(later, table.id.in_([ReferralId(id_) for id_ in earlier])))
    return list(session.scalars(wanted.order_by(table.received_at, table.id)))


def _next_to(session: Session, ids: set[ReferralId], ties: Sequence[Tie]) -> set[ReferralId]:
    among = [referrals.c.id.in_(ids), *(tie.in_(ids) for tie in ties)]
    rows = session.execute(select(referrals.c.id, *ties).where(or_(*among)))
    return {ReferralId(id_) for row in rows for id_ in row if id_ is not None}
