"""Which referrals belong to one person, and whose time has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, or_, select, update
from sqlalchemy.orm import Session

from chassis.audit.chain import AuditAction
from contracts.vocabulary import ReferralId
from services.intake.domain.referral import Referral, State
from services.intake.domain.retention import Story
from services.intake.keeping import RETENTION
from services.intake.store import get_referral, history_of, metadata, referrals

Tie = Column[UUID | None]
SAME_REQUEST: tuple[Tie, ...] = (referrals.c.merged_into,)
SAME_PERSON: tuple[Tie, ...] = (referrals.c.merged_into, referrals.c.previous_id)
"""The columns that tie one referral of a person to another."""

timers, audit = metadata.tables["timer"], metadata.tables["audit_entry"]


def tied_to(session: Session, referral_id: ReferralId, ties: Sequence[Tie]) -> list[Referral]:
    """A referral and all that these columns tie to it, directly or by way of others, without the erased; locked."""
    locked = [get_referral(session, one) for one in sorted(ids_tied_to(session, referral_id, ties))]
    return [one for one in locked if one.state is not State.ERASED]


def ids_tied_to(session: Session, referral_id: ReferralId, ties: Sequence[Tie]) -> set[ReferralId]:
    """As `tied_to`, with the erased, and without locking any."""
    session.flush()
    found: set[ReferralId] = set()
    new = {referral_id}
    while new:
        found |= new
        new = _next_to(session, new, ties) - found
    return found


def story_of(session: Session, referral: Referral) -> Story:
    taken = history_of(session, referral.id)
    return Story(taken[-1].taken_at, frozenset(one.reason for one in taken if one.reason))


def perhaps_due(session: Session, before: datetime, limit: int) -> list[ReferralId]:
    """Whose timers come due before then, the first first."""
    wanted = select(timers.c.key).where(timers.c.name == RETENTION, timers.c.due_at <= before)
    keys = session.execute(wanted.order_by(timers.c.due_at, timers.c.key).limit(limit)).scalars()
    return [ReferralId(UUID(key)) for key in keys]


def look_at_all_again(session: Session, at: datetime) -> int:
    """Has every timer come due. Says how many there are."""
    moved = update(timers).where(timers.c.name == RETENTION).values(due_at=at, attempts=0).returning(timers.c.key)
    return len(session.execute(moved).all())


def on_record_as_applied(session: Session) -> list[tuple[datetime, str, str]]:
    """When, by whom, and by which policy of how many, the oldest first."""
    wanted = select(audit.c.at, audit.c.who, audit.c.reason).where(audit.c.what == AuditAction.RETENTION_APPLIED.value)
    return [(at, who, what) for at, who, what in session.execute(wanted.order_by(audit.c.sequence))]


def _next_to(session: Session, ids: set[ReferralId], ties: Sequence[Tie]) -> set[ReferralId]:
    among = [referrals.c.id.in_(ids), *(tie.in_(ids) for tie in ties)]
    rows = session.execute(select(referrals.c.id, *ties).where(or_(*among)))
    return {ReferralId(id_) for row in rows for id_ in row if id_ is not None}
