"""Whose retention period may be over, and when a policy was applied to all."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.audit.chain import AuditAction
from contracts.vocabulary import ReferralId
from services.intake.domain.referral import Referral
from services.intake.domain.retention import BEGIN_NO_TERM, StepSummary
from services.intake.store.referrals import history_of
from services.intake.store.tables import metadata

RETENTION_DUE = "retention"
"""The timer that falls due when what is held about somebody may have to go."""

timers, audit = metadata.tables["timer"], metadata.tables["audit_entry"]


def step_summary_of(session: Session, referral: Referral) -> StepSummary:
    taken = [step for step in history_of(session, referral.id) if step.step not in BEGIN_NO_TERM]
    return StepSummary(taken[-1].taken_at, frozenset(step.reason for step in taken if step.reason))


def possibly_due(session: Session, before: datetime, limit: int) -> list[ReferralId]:
    """The referrals whose retention timers come due before then, the earliest first."""
    wanted = select(timers.c.key).where(timers.c.name == RETENTION_DUE, timers.c.due_at <= before)
    keys = session.execute(wanted.order_by(timers.c.due_at, timers.c.key).limit(limit)).scalars()
    return [ReferralId(UUID(key)) for key in keys]


def make_all_due(session: Session, at: datetime) -> int:
    """Makes every retention timer due now, and returns how many there are."""
    moved = update(timers).where(timers.c.name == RETENTION_DUE).values(due_at=at, attempts=0).returning(timers.c.key)
    return len(session.execute(moved).all())


def list_applied(session: Session) -> list[tuple[datetime, str, str]]:
    """When, by whom, and by which policy of how many, the oldest first."""
    wanted = select(audit.c.at, audit.c.who, audit.c.reason).where(audit.c.what == AuditAction.RETENTION_APPLIED.value)
    return [(at, who, what) for at, who, what in session.execute(wanted.order_by(audit.c.sequence))]
