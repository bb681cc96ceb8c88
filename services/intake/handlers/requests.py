"""Requests for help and withdrawals that front-ends send: taken in, or kept as they came until they can be read."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from chassis.privacy.sealing import key_of
from contracts.commands.intake import (
    ListUnreadable,
    RequestTyped,
    RetriedUnreadable,
    RetryUnreadable,
    TypeRequest,
    UnreadableView,
)
from contracts.events.intake import HelpRequestRefused
from contracts.events.web import HelpRequested, WithdrawalRequested
from contracts.vocabulary import RefusalReason
from services.intake.application.submissions import SubmissionRefused, accept_request, accept_withdrawal
from services.intake.dependencies import Dependencies
from services.intake.domain.states import Step
from services.intake.errors import NothingUnreadable, NotTakenIn, StillUnreadable
from services.intake.store import referrals, unreadable_submissions

NOTHING_IN_IT = frozenset({RefusalReason.REPLAYED, RefusalReason.NOT_RECOGNISED})
"""Refusals after which nothing is kept: the request was accepted before, or whoever typed it sees the refusal."""


def receive_request(unit: UnitOfWork[Dependencies], event: HelpRequested) -> None:
    """Accepts a request for help, or tells the front-end why it can't be accepted as it is."""
    try:
        accept_request(unit, event)
    except SubmissionRefused as refusal:
        _refuse(unit, event, refusal)


def withdraw_request(unit: UnitOfWork[Dependencies], event: WithdrawalRequested) -> None:
    """Takes a request back for whoever knows its reference and passphrase."""
    try:
        accept_withdrawal(unit, event)
    except SubmissionRefused as refusal:
        _refuse(unit, event, refusal)


def type_request(unit: UnitOfWork[Dependencies], request: TypeRequest) -> RequestTyped:
    """Accepts what somebody was told by telephone or letter. Their account is the one that took the step.

    Raises NotTakenIn.
    """
    referral = referrals.find_by_submission(unit.session, request.submission_id)
    if referral is None:
        try:
            referral = accept_request(unit, request, by=unit.actor.who, reason=request.came_by)
        except SubmissionRefused as refusal:
            raise NotTakenIn(_why(refusal)) from None
        reason = request.came_by.value
        unit.record_audit(AuditAction.TYPED, who=unit.actor.who, subject_id=referral.id, reason=reason)
    elif referrals.who_took(unit.session, [Step.RECEIVE], [referral.id]) != {unit.actor.who}:
        raise NotTakenIn("Another request was sent under this number. Open the form again.")
    return RequestTyped(referral_id=referral.id, reference=referral.reference)


def list_unreadable(unit: UnitOfWork[Dependencies], request: ListUnreadable) -> list[UnreadableView]:
    """The oldest first."""
    return [
        UnreadableView(
            submission_id=submission.submission_id,
            event=submission.event,
            received_at=submission.received_at,
            reason=submission.reason,
            field=submission.field,
            sealed_to=key_of(submission.sealed),
        )
        for submission in unreadable_submissions.list_oldest(unit.session, request.limit)
    ]


def retry_unreadable(unit: UnitOfWork[Dependencies], request: RetryUnreadable) -> RetriedUnreadable:
    """Reads a stored submission again, and accepts it as if it came now. Raises NothingUnreadable, StillUnreadable."""
    kept = unreadable_submissions.find(unit.session, request.submission_id)
    if kept is None:
        raise NothingUnreadable("Nothing unreadable is kept of this submission. It may have been read meanwhile.")
    try:
        reference = _accept(unit, kept)
    except SubmissionRefused as refusal:
        raise StillUnreadable(_why(refusal)) from None
    unreadable_submissions.delete(unit.session, request.submission_id)
    return RetriedUnreadable(reference=reference)


def _accept(unit: UnitOfWork[Dependencies], kept: unreadable_submissions.Unreadable) -> str | None:
    """Accepts it. Returns the reference of a request, None of a withdrawal. Raises SubmissionRefused."""
    event = kept.as_event()
    if isinstance(event, HelpRequested):
        return accept_request(unit, event).reference
    accept_withdrawal(unit, event)
    return None


def _why(refusal: SubmissionRefused) -> str:
    if refusal.reason is RefusalReason.UNSEALED:
        return "It is sealed to a key that intake does not have. Put that key into the keys folder and restart intake."
    where = f" (field {refusal.field})" if refusal.field else ""
    return f"It can't be taken in: {refusal.reason.value.replace('_', ' ')}{where}."


def _refuse(
    unit: UnitOfWork[Dependencies], event: HelpRequested | WithdrawalRequested, refusal: SubmissionRefused
) -> None:
    """Tells the front-end why, and keeps what an operator has still to look at."""
    unit.emit(
        HelpRequestRefused(submission_id=event.submission_id, reason=refusal.reason, field=refusal.field),
    )
    if refusal.reason not in NOTHING_IN_IT:
        unreadable_submissions.save(unit.session, event, refusal.reason, refusal.field, at=unit.now)
