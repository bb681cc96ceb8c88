"""The retention timer: set when a referral is received, and when nothing more is expected to happen with it.

Nothing but the timer is stored. When it comes due the date is computed anew from the referral's steps (see
`services.intake.handlers.retention`): what has happened since moves it, and no order of events can leave it wrong.
"""

from __future__ import annotations

from chassis.ports import UnitOfWork
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.retention import BEGIN_NO_TERM, SETTLED, StepSummary, date_of
from services.intake.domain.states import Step
from services.intake.store.retention import RETENTION_DUE


def set_retention_timer(unit: UnitOfWork[Dependencies], referral: Referral, step: Step, reason: str | None) -> None:
    """Sets the timer, if this step begins a term."""
    if step not in BEGIN_NO_TERM and (step is Step.RECEIVE or referral.state in SETTLED):
        known = StepSummary(unit.now, frozenset({reason} if reason else ()))
        due_at = date_of(referral, known, unit.dependencies.retention).due_at
        unit.set_timer(RETENTION_DUE, referral.id, due_at)


def check_retention_now(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Makes the timer due now, because what had stopped an erasure may be over."""
    unit.set_timer(RETENTION_DUE, referral.id, unit.now)
