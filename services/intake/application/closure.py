"""Ends a referral: withdraws it, or closes it once therapy is over."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.intake import ReferralClosed, ReferralWithdrawn
from contracts.vocabulary import ClosureReason, WithdrawalReason
from services.intake.application.history import BY_CLIENT, record_step, take_step
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.states import Step


def withdraw_referral(
    unit: UnitOfWork[Dependencies], referral: Referral, reason: WithdrawalReason, *, by: str, note: str | None = None
) -> bool:
    """Stops everything for a referral. False if that was so already. Raises StepNotPossible."""
    undo_until = None if by == BY_CLIENT else unit.now + unit.dependencies.settings.undo_within
    changed = referral.withdraw(undo_until=undo_until)
    if changed:
        record_step(unit, referral, Step.WITHDRAW, by=by, reason=reason, note=note)
        unit.emit(ReferralWithdrawn(referral_id=referral.id, reason=reason, final_at=undo_until))
    return changed


def close_referral(
    unit: UnitOfWork[Dependencies], referral: Referral, reason: ClosureReason, *, by: str, note: str | None = None
) -> None:
    """Nothing more will happen for a referral that has ended. Raises StepNotPossible."""
    take_step(unit, referral, Step.CLOSE, by=by, reason=reason, note=note)
    unit.emit(ReferralClosed(referral_id=referral.id, reason=reason))
