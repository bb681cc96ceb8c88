"""Erasing a person in every service, and following up until each has confirmed it."""

from __future__ import annotations

from uuid import UUID

import structlog

from chassis.ports import NotYet, Timer, UnitOfWork
from contracts.commands.privacy import Confirmation, Erase, ErasedWith, ErasureView, GetErasure, ListUnconfirmed
from contracts.events import billing, console, evaluation, matching, notifications
from contracts.events.intake import ErasureOverdue, ReferralErased
from contracts.vocabulary import ReferralId
from services.intake.application.lookup import UNKNOWN_REFERENCE, find_id, get_by_reference
from services.intake.application.referral_erasure import ERASURE_UNCONFIRMED, erase_referral, legal_hold_in_force
from services.intake.dependencies import Dependencies
from services.intake.domain.erasure import still_to_confirm
from services.intake.domain.referral import Referral
from services.intake.domain.states import IN_THERAPY, State
from services.intake.errors import ConcernOpen, NeverErased, OnLegalHold, TherapyInProgress, UnknownReferral
from services.intake.store import concerns, erasures, referrals, related_referrals

ErasureConfirmed = (
    matching.ErasureConfirmed
    | billing.ErasureConfirmed
    | notifications.ErasureConfirmed
    | evaluation.ErasureConfirmed
    | console.ErasureConfirmed
)

log = structlog.get_logger()


def erase_by_person(unit: UnitOfWork[Dependencies], request: Erase) -> ErasureView:
    """Erases a person, once, with all requests that were merged into one.

    Raises UnknownReferral, OnLegalHold, TherapyInProgress, ConcernOpen.
    """
    referral_id = find_id(unit, request.reference)
    if referral_id is None:
        raise UnknownReferral(UNKNOWN_REFERENCE)
    # All are locked in one order, the one that was named among them, so that two such can't wait for each other.
    together = related_referrals.tied_to(unit.session, referral_id, related_referrals.SAME_REQUEST)
    referral = referrals.get_referral(unit.session, referral_id)
    if referral.state is not State.ERASED:
        for related in together:
            _refuse_on_legal_hold(unit, related)
            if not request.anyway:
                _refuse_while_needed(unit, related)
        for related in together:
            erase_referral(unit, related, by=unit.actor.who, reason=request.reason)
    return _view(unit, referral)


def note_confirmation(unit: UnitOfWork[Dependencies], event: ErasureConfirmed) -> None:
    """A service has erased what it held."""
    if erasures.find_erasure(unit.session, event.referral_id) is None:
        raise NotYet("the erasure is not recorded here yet")
    erasures.save_confirmation(unit.session, event.referral_id, event.publisher, unit.now)
    if not _missing(unit, event.referral_id):
        unit.cancel_timer(ERASURE_UNCONFIRMED, event.referral_id)


def flag_unconfirmed(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Marks an erasure as overdue, has the office told, tells the services once more, and looks again after a while."""
    erasure = erasures.find_erasure(unit.session, ReferralId(UUID(timer.key)))
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


def get_erasure(unit: UnitOfWork[Dependencies], request: GetErasure) -> ErasureView:
    """Raises UnknownReferral, NeverErased."""
    return _view(unit, get_by_reference(unit, request.reference))


def list_unconfirmed(unit: UnitOfWork[Dependencies], request: ListUnconfirmed) -> list[ErasureView]:
    found = erasures.list_unconfirmed(unit.session, request.limit)
    return [_view(unit, referrals.get_referral(unit.session, erasure.referral_id)) for erasure in found]


def _refuse_on_legal_hold(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Raises OnLegalHold."""
    if hold := legal_hold_in_force(unit, referral):
        why = hold.reason.value.replace("_", " ")
        raise OnLegalHold(f"{referral.reference} is on legal hold ({why}). Lift that first.")


def _refuse_while_needed(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Raises TherapyInProgress, ConcernOpen."""
    if referral.state in IN_THERAPY:
        raise TherapyInProgress(f"{referral.reference} is with a therapist. Erase it anyway, or end the match first.")
    if any(concern.acknowledged_at is None for concern in concerns.concerns_of(unit.session, referral.id)):
        raise ConcernOpen(f"A safeguarding concern about {referral.reference} waits for an answer. Or erase it anyway.")


def _missing(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> tuple[str, ...]:
    return still_to_confirm(erasures.confirmations(unit.session, referral_id))


def _view(unit: UnitOfWork[Dependencies], referral: Referral) -> ErasureView:
    """Raises NeverErased."""
    erasure = erasures.find_erasure(unit.session, referral.id)
    if erasure is None:
        raise NeverErased(f"Nothing was erased under {referral.reference}.")
    confirmed = erasures.confirmations(unit.session, referral.id)
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
    """The other referrals that were merged with this one and erased with it."""
    same = related_referrals.ids_tied_to(unit.session, referral.id, related_referrals.SAME_REQUEST) - {referral.id}
    found = [referrals.get_referral(unit.session, erased) for erased in sorted(same)]
    return tuple(
        ErasedWith(referral_id=erased.id, submission_id=erased.submission_id, reference=erased.reference)
        for erased in found
        if erased.state is State.ERASED
    )
