"""Accepts what front-ends send, or refuses it with a reason; what is refused is kept, so that nobody is lost.

Most often what can't be taken in is sealed to a wrong or withdrawn key. Its sender was shown a reference, so the office
is told at once, and an operator has it read again when the key, or what else was wrong, is put right.
"""

from __future__ import annotations

import math
from contextlib import suppress

from chassis.ports import NotYet, UnitOfWork
from chassis.privacy.sealing import Unopenable
from contracts.commands.intake import TypeRequest
from contracts.events.web import HelpRequested, WithdrawalRequested
from contracts.london import day_of
from contracts.reference import InvalidReference, parse_reference
from contracts.sealed import FORMS, Credentials, HelpForm, HelpSubmission
from contracts.shape import InvalidShape
from contracts.vocabulary import ReferralId, RefusalReason, WithdrawalReason
from services.intake.application import closure, registration
from services.intake.application.history import BY_CLIENT
from services.intake.application.verification import verify_client
from services.intake.dependencies import Dependencies
from services.intake.domain.ages import can_be_born_on
from services.intake.domain.passphrases import digest_of_passphrase
from services.intake.domain.referral import Referral, StepNotPossible
from services.intake.domain.states import State
from services.intake.store import personal_records, referrals


class SubmissionRefused(Exception):
    """A submission that can't be taken as it is."""

    def __init__(self, reason: RefusalReason, *, field: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason, self.field = reason, field


def accept_request(
    unit: UnitOfWork[Dependencies],
    event: HelpRequested | TypeRequest,
    *,
    by: str = BY_CLIENT,
    reason: str | None = None,
) -> Referral:
    """`by` is who sent it, or typed it in. Raises SubmissionRefused."""
    submission = _open_submission(unit, event)
    form = HelpForm.from_json(submission.to_json())
    id_ = ReferralId(unit.new_id())
    digest = digest_of_passphrase(submission.passphrase, referral_id=id_, key=unit.dependencies.passphrase_key)
    state = State.IN_REVIEW if form.suspected else State.RECEIVED
    referral = registration.new_referral(unit, id_, event.submission_id, form, digest, state=state)
    version = personal_records.Form(event.form, event.form_version)
    registration.register(unit, referral, form, version, by=by, reason=reason)
    return referral


def accept_withdrawal(unit: UnitOfWork[Dependencies], event: WithdrawalRequested) -> None:
    """Raises SubmissionRefused; NotYet while the request itself may still be under way."""
    referral = _verified_referral(unit, event)
    with suppress(StepNotPossible):  # where there is nothing left to take back
        closure.withdraw_referral(unit, referral, WithdrawalReason.CLIENT_ASKED, by=BY_CLIENT)


def _open_submission(unit: UnitOfWork[Dependencies], event: HelpRequested | TypeRequest) -> HelpSubmission:
    """Raises SubmissionRefused."""
    if referrals.find_by_submission(unit.session, event.submission_id):
        raise SubmissionRefused(RefusalReason.REPLAYED)
    kind = FORMS.get((event.form, event.form_version))
    if kind is None:
        raise SubmissionRefused(RefusalReason.UNKNOWN_FORM)
    try:
        submission = unit.dependencies.keyring.open(kind, event.sealed)
    except Unopenable:
        raise SubmissionRefused(RefusalReason.UNSEALED) from None
    except InvalidShape as error:
        raise SubmissionRefused(RefusalReason.MALFORMED, field=_field_at_fault(kind, error)) from None
    if not (submission.consents.processing and submission.consents.confidentiality_understood):
        raise SubmissionRefused(RefusalReason.CONSENT_MISSING)
    if submission.contact is None and submission.writer_contact is None:
        raise SubmissionRefused(RefusalReason.MALFORMED, field="contact")
    born = submission.date_of_birth
    if born and not can_be_born_on(born, today=day_of(unit.now)):
        raise SubmissionRefused(RefusalReason.MALFORMED, field="date_of_birth")
    return submission


def _field_at_fault(kind: type[HelpSubmission], error: InvalidShape) -> str | None:
    """The first field of the form that doesn't fit, if it is one that was sent and not the whole."""
    return next((name for name in error.errors if name in kind.schema.fields), None)


def _verified_referral(unit: UnitOfWork[Dependencies], event: WithdrawalRequested) -> Referral:
    """Raises SubmissionRefused; NotYet while the request itself may still be under way."""
    try:
        typed = unit.dependencies.keyring.open(Credentials, event.sealed)
        reference = parse_reference(typed.reference)
    except Unopenable:
        raise SubmissionRefused(RefusalReason.UNSEALED) from None
    except InvalidShape:
        raise SubmissionRefused(RefusalReason.MALFORMED) from None
    except InvalidReference:
        raise SubmissionRefused(RefusalReason.NOT_RECOGNISED) from None
    may_be_under_way = _age_of_message(unit) < unit.dependencies.settings.wait_for_request.total_seconds()
    if may_be_under_way and referrals.find_by_reference(unit.session, reference) is None:
        raise NotYet("no request with this reference has arrived yet")
    referral = verify_client(unit, reference, typed.passphrase)
    if referral is None:
        raise SubmissionRefused(RefusalReason.NOT_RECOGNISED)
    return referral


def _age_of_message(unit: UnitOfWork[Dependencies]) -> float:
    """In seconds; infinite where there is no message, because an operator retries a stored submission."""
    return (unit.now - unit.envelope.time).total_seconds() if unit.envelope else math.inf
