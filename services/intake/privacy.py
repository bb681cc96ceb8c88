"""Erasing a person in every service, and the legal holds that stop it."""

from __future__ import annotations

from uuid import UUID

import structlog

from chassis.audit.chain import AuditAction
from chassis.ports import NotYet, Refused, Timer, UnitOfWork
from contracts.commands.privacy import (
    AskErasure,
    Confirmation,
    Erase,
    ErasedWith,
    ErasureReason,
    ErasureView,
    HoldView,
    LiftHold,
    ListHolds,
    ListUnconfirmed,
    PlaceHold,
)
from contracts.events import billing, evaluation, matching, notifications
from contracts.events.intake import ErasureOverdue, ReferralErased
from contracts.vocabulary import ReferralId, WithdrawalReason
from services.intake import handlers, privacy_store, retention_store, store
from services.intake.dependencies import Dependencies
from services.intake.domain.privacy import Erasure, Hold, still_to_confirm
from services.intake.domain.referral import IN_THERAPY, UNDER_WAY, Referral, State, Step
from services.intake.keeping import RETENTION, look_again
from services.intake.refusals import UnknownReferral, find, identify
from services.intake.steps import record

ERASURE_UNCONFIRMED = "erasure_unconfirmed"
"""The timer of an erasure that not every service may have confirmed in time."""

ErasureConfirmed = (
    matching.ErasureConfirmed | billing.ErasureConfirmed | notifications.ErasureConfirmed | evaluation.ErasureConfirmed
)

UNKNOWN_REFERENCE = "There is no request with this reference. Please check it."

log = structlog.get_logger()


class OnLegalHold(Refused):
    """What is held about this person must be kept until the hold is lifted."""


class TherapyInProgress(Refused):
    """The client is seeing a therapist, who would lose touch with them."""


class ConcernOpen(Refused):
    """Nobody has taken a safeguarding concern about this referral in hand yet."""


class NeverErased(Refused):
    """There was no erasure under this reference."""


class NoHold(Refused):
    """There is no legal hold to lift."""


class AlreadyOnHold(Refused):
    """There is a legal hold already; the message says whose."""


def erase_by_person(unit: UnitOfWork[Dependencies], request: Erase) -> ErasureView:
    """Erases a person, once, with all that was merged into one. Raises UnknownReferral, OnLegalHold,
    TherapyInProgress, ConcernOpen."""
    referral_id = identify(unit, request.reference)
    if referral_id is None:
        raise UnknownReferral(UNKNOWN_REFERENCE)
    # All are locked in one order, the one that was named among them, so that two such can't wait for each other.
    together = retention_store.tied_to(unit.session, referral_id, retention_store.SAME_REQUEST)
    referral = store.get_referral(unit.session, referral_id)
    if referral.state is not State.ERASED:
        for one in together:
            refuse_on_hold(unit, one)
            if not request.anyway:
                _refuse_while_needed(unit, one)
        for one in together:
            erase(unit, one, by=request.erased_by, reason=request.reason)
    return _view(unit, referral)


def erase(unit: UnitOfWork[Dependencies], referral: Referral, *, by: str, reason: ErasureReason) -> None:
    """Destroys the person's key, drops what it opened, ends what was under way, and has every service forget."""
    if referral.state in UNDER_WAY:
        forgotten = reason is ErasureReason.RETENTION  # nobody asked for it, so nobody is written to
        why = WithdrawalReason.NO_CONTACT if forgotten else WithdrawalReason.CLIENT_ASKED
        handlers.withdraw(unit, referral, why, by=by)
    referral.erase()
    unit.cancel_timer(handlers.ASSESSMENT_OVERDUE, referral.id)
    record(unit, referral, Step.ERASE, by=by, reason=reason.value)
    unit.cancel_timer(RETENTION, referral.id)
    privacy_store.drop_personal(unit.session, referral.id)
    unit.dependencies.vault.destroy(unit.session, referral.id, at=unit.now)
    unit.session.add(Erasure(referral_id=referral.id, erased_at=unit.now, erased_by=by, reason=reason))
    unit.record_audit(AuditAction.ERASED, who=by, subject_id=referral.id, reason=reason.value)
    unit.emit(ReferralErased(referral_id=referral.id))
    unit.set_timer_after(ERASURE_UNCONFIRMED, referral.id, unit.dependencies.settings.erasure_confirmed_within)


def note_confirmation(unit: UnitOfWork[Dependencies], event: ErasureConfirmed) -> None:
    """A service has forgotten."""
    if privacy_store.find_erasure(unit.session, event.referral_id) is None:
        raise NotYet("the erasure is not recorded here yet")
    privacy_store.confirm(unit.session, event.referral_id, event.publisher, unit.now)
    if not _missing(unit, event.referral_id):
        unit.cancel_timer(ERASURE_UNCONFIRMED, event.referral_id)


def flag_unconfirmed(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Marks an erasure as overdue, has the office told, tells the services once more, and looks again after a while."""
    erasure = privacy_store.find_erasure(unit.session, ReferralId(UUID(timer.key)))
    if erasure is None:
        return
    missing = _missing(unit, erasure.referral_id)
    for service in missing:
        log.error("erasure_unconfirmed", referral_id=erasure.referral_id, service_missing=service)
    if missing and erasure.overdue_since is None:
        told = ErasureOverdue(referral_id=erasure.referral_id, erased_at=erasure.erased_at, waiting_for=missing)
        unit.emit(told)
    erasure.overdue_since = erasure.overdue_since or unit.now
    unit.emit(ReferralErased(referral_id=erasure.referral_id))
    unit.set_timer_after(ERASURE_UNCONFIRMED, erasure.referral_id, unit.dependencies.settings.erasure_confirmed_within)


def ask_erasure(unit: UnitOfWork[Dependencies], request: AskErasure) -> ErasureView:
    """Raises UnknownReferral, NeverErased."""
    return _view(unit, _find(unit, request.reference))


def list_unconfirmed(unit: UnitOfWork[Dependencies], request: ListUnconfirmed) -> list[ErasureView]:
    found = privacy_store.unconfirmed(unit.session, request.limit)
    return [_view(unit, store.get_referral(unit.session, one.referral_id)) for one in found]


def place_hold(unit: UnitOfWork[Dependencies], request: PlaceHold) -> HoldView:
    """Raises UnknownReferral, AlreadyOnHold."""
    referral = _find(unit, request.reference)
    if referral.state is State.ERASED:
        raise UnknownReferral("Nothing is held about this person any more.")
    if hold := hold_in_force(unit, referral):
        raise AlreadyOnHold(f"{hold.placed_by} has placed a hold on {referral.reference} already.")
    hold = Hold(
        id=unit.new_id(),
        referral_id=referral.id,
        reason=request.reason,
        placed_by=request.placed_by,
        placed_at=unit.now,
    )
    unit.session.add(hold)
    unit.record_audit(AuditAction.HELD, who=request.placed_by, subject_id=referral.id, reason=request.reason.value)
    return _hold_view(hold, referral)


def lift_hold(unit: UnitOfWork[Dependencies], request: LiftHold) -> HoldView:
    """Raises UnknownReferral, NoHold."""
    referral = _find(unit, request.reference)
    hold = hold_in_force(unit, referral)
    if hold is None:
        raise NoHold(f"There is no legal hold on {referral.reference}.")
    hold.lift(reason=request.reason, by=request.lifted_by, at=unit.now)
    look_again(unit, referral)
    unit.record_audit(
        AuditAction.HOLD_LIFTED, who=request.lifted_by, subject_id=referral.id, reason=request.reason.value
    )
    return _hold_view(hold, referral)


def list_holds(unit: UnitOfWork[Dependencies], request: ListHolds) -> list[HoldView]:
    """Raises UnknownReferral."""
    referral = _find(unit, request.reference)
    return [_hold_view(hold, referral) for hold in privacy_store.holds_on(unit.session, referral.id)]


def refuse_on_hold(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Raises OnLegalHold."""
    if hold := hold_in_force(unit, referral):
        why = hold.reason.value.replace("_", " ")
        raise OnLegalHold(
            f"{referral.reference} is on legal hold ({why}, placed by {hold.placed_by}). Lift that first."
        )


def _refuse_while_needed(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Raises TherapyInProgress, ConcernOpen."""
    if referral.state in IN_THERAPY:
        raise TherapyInProgress(f"{referral.reference} is with a therapist. Erase it anyway, or end the match first.")
    if any(one.acknowledged_at is None for one in store.concerns_of(unit.session, referral.id)):
        raise ConcernOpen(f"A safeguarding concern about {referral.reference} waits for an answer. Or erase it anyway.")


def hold_in_force(unit: UnitOfWork[Dependencies], referral: Referral) -> Hold | None:
    return next((hold for hold in privacy_store.holds_on(unit.session, referral.id) if hold.is_in_force), None)


def _find(unit: UnitOfWork[Dependencies], reference: str) -> Referral:
    """Raises UnknownReferral."""
    referral = find(unit, reference)
    if referral is None:
        raise UnknownReferral(UNKNOWN_REFERENCE)
    return referral


def _missing(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> tuple[str, ...]:
    return still_to_confirm(privacy_store.confirmations(unit.session, referral_id))


def _view(unit: UnitOfWork[Dependencies], referral: Referral) -> ErasureView:
    """Raises NeverErased."""
    erasure = privacy_store.find_erasure(unit.session, referral.id)
    if erasure is None:
        raise NeverErased(f"Nothing was erased under {referral.reference}.")
    confirmed = privacy_store.confirmations(unit.session, referral.id)
    return ErasureView(
        referral_id=referral.id,
        submission_id=referral.submission_id,
        reference=referral.reference,
        reason=erasure.reason,
        erased_by=erasure.erased_by,
        erased_at=erasure.erased_at,
        confirmed=tuple(Confirmation(service=service, confirmed_at=at) for service, at in confirmed.items()),
        waiting_for=still_to_confirm(confirmed),
        overdue_since=erasure.overdue_since,
        with_it=_erased_with(unit, referral),
    )


def _erased_with(unit: UnitOfWork[Dependencies], referral: Referral) -> tuple[ErasedWith, ...]:
    """What was one person's same request."""
    same = retention_store.ids_tied_to(unit.session, referral.id, retention_store.SAME_REQUEST) - {referral.id}
    found = [store.get_referral(unit.session, one) for one in sorted(same)]
    return tuple(
        ErasedWith(referral_id=one.id, submission_id=one.submission_id, reference=one.reference)
        for one in found
        if one.state is State.ERASED
    )


def _hold_view(hold: Hold, referral: Referral) -> HoldView:
    return HoldView(
        reference=referral.reference,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
        lift_reason=hold.lift_reason,
        lifted_by=hold.lifted_by,
        lifted_at=hold.lifted_at,
    )
