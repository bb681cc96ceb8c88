"""Legal holds, which stop every erasure of a person until they are lifted."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from contracts.commands.privacy import HoldView, LiftHold, ListHolds, PlaceHold
from services.intake.application.lookup import get_by_reference
from services.intake.application.referral_erasure import legal_hold_in_force
from services.intake.application.retention_timer import check_retention_now
from services.intake.dependencies import Dependencies
from services.intake.domain.erasure import LegalHold
from services.intake.domain.referral import Referral
from services.intake.domain.states import State
from services.intake.errors import AlreadyOnHold, NoHold, UnknownReferral
from services.intake.store import erasures


def place_legal_hold(unit: UnitOfWork[Dependencies], request: PlaceHold) -> HoldView:
    """Raises UnknownReferral, AlreadyOnHold."""
    referral = get_by_reference(unit, request.reference)
    if referral.state is State.ERASED:
        raise UnknownReferral("Nothing is held about this person any more.")
    if hold := legal_hold_in_force(unit, referral):
        raise AlreadyOnHold(f"{referral.reference} is on hold already.")
    hold = LegalHold(
        id=unit.new_id(),
        referral_id=referral.id,
        reason=request.reason,
        placed_by=unit.actor.who,
        placed_at=unit.now,
    )
    unit.session.add(hold)
    unit.record_audit(AuditAction.HELD, who=unit.actor.who, subject_id=referral.id, reason=request.reason.value)
    return _legal_hold_view(hold, referral)


def lift_legal_hold(unit: UnitOfWork[Dependencies], request: LiftHold) -> HoldView:
    """Raises UnknownReferral, NoHold."""
    referral = get_by_reference(unit, request.reference)
    hold = legal_hold_in_force(unit, referral)
    if hold is None:
        raise NoHold(f"There is no legal hold on {referral.reference}.")
    hold.lift(reason=request.reason, by=unit.actor.who, at=unit.now)
    check_retention_now(unit, referral)
    unit.record_audit(AuditAction.HOLD_LIFTED, who=unit.actor.who, subject_id=referral.id, reason=request.reason.value)
    return _legal_hold_view(hold, referral)


def list_legal_holds(unit: UnitOfWork[Dependencies], request: ListHolds) -> list[HoldView]:
    """Raises UnknownReferral."""
    referral = get_by_reference(unit, request.reference)
    return [_legal_hold_view(hold, referral) for hold in erasures.legal_holds_on(unit.session, referral.id)]


def _legal_hold_view(hold: LegalHold, referral: Referral) -> HoldView:
    return HoldView(
        reference=referral.reference,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
        lift_reason=hold.lift_reason,
        lifted_by=hold.lifted_by,
        lifted_at=hold.lifted_at,
    )
