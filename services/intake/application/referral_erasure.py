"""Erases one referral in every service, and says whether a legal hold forbids it."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from contracts.commands.privacy import ErasureReason
from contracts.events.intake import ReferralErased
from contracts.vocabulary import WithdrawalReason
from services.intake.application import closure, registration
from services.intake.application.history import record_step
from services.intake.dependencies import Dependencies
from services.intake.domain.erasure import Erasure, LegalHold
from services.intake.domain.referral import Referral
from services.intake.domain.states import UNDER_WAY, Step
from services.intake.store import erasures
from services.intake.store.retention import RETENTION_DUE

ERASURE_UNCONFIRMED = "erasure_unconfirmed"
"""The timer of an erasure that not every service may have confirmed in time."""


def erase_referral(unit: UnitOfWork[Dependencies], referral: Referral, *, by: str, reason: ErasureReason) -> None:
    """Destroys the person's key, deletes what it opened, ends what was under way, and tells every service to erase."""
    if referral.state in UNDER_WAY:
        forgotten = reason is ErasureReason.RETENTION  # nobody asked for it, so nobody is written to
        why = WithdrawalReason.NO_CONTACT if forgotten else WithdrawalReason.CLIENT_ASKED
        closure.withdraw_referral(unit, referral, why, by=by)
    referral.erase()
    unit.cancel_timer(registration.ASSESSMENT_OVERDUE, referral.id)
    record_step(unit, referral, Step.ERASE, by=by, reason=reason.value)
    unit.cancel_timer(RETENTION_DUE, referral.id)
    erasures.delete_personal_data(unit.session, referral.id)
    unit.dependencies.vault.destroy(unit.session, referral.id, at=unit.now)
    unit.session.add(Erasure(referral_id=referral.id, erased_at=unit.now, erased_by=by, reason=reason))
    unit.record_audit(AuditAction.ERASED, who=by, subject_id=referral.id, reason=reason.value)
    unit.emit(ReferralErased(referral_id=referral.id))
    unit.set_timer_after(ERASURE_UNCONFIRMED, referral.id, unit.dependencies.settings.erasure_confirmed_within)


def legal_hold_in_force(unit: UnitOfWork[Dependencies], referral: Referral) -> LegalHold | None:
    return next((hold for hold in erasures.legal_holds_on(unit.session, referral.id) if hold.is_in_force), None)
