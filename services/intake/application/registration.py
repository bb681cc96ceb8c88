"""Registers a new referral: stores it, encrypts what the client wrote, and tells the other services."""

from __future__ import annotations

from itertools import count

from chassis.ports import UnitOfWork
from chassis.workdays import add_working_days
from contracts.reference import reference_for
from contracts.sealed import HelpForm
from contracts.vocabulary import ContactPurpose, ReferralId, SubmissionId
from services.intake.application import contacts, duplicate_detection
from services.intake.application.concerns import record_concern
from services.intake.application.history import BY_RULE, record_step
from services.intake.application.records import age_of, place_of
from services.intake.application.search_facts import build_referral_received
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.safeguarding import findings_in_request, is_young
from services.intake.domain.states import BEFORE_ASSESSMENT, State, Step
from services.intake.store import personal_records, referrals

ASSESSMENT_OVERDUE = "assessment_overdue"
"""The timer that falls due when a request should have been assessed."""


def watch_assessment(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """The office is told if a referral that goes on isn't assessed in time."""
    if referral.state in BEFORE_ASSESSMENT:
        unit.set_timer(ASSESSMENT_OVERDUE, referral.id, max(referral.assess_by, unit.now))


def _raise_by_rule(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    for finding in findings_in_request(
        client_group=form.client_group,
        age=age_of(unit, form),
        identifiable_person_at_risk=form.identifiable_person_at_risk is True,
        person_at_risk=form.person_at_risk,
    ):
        record_concern(unit, referral, finding, raised_by=BY_RULE)


def register(
    unit: UnitOfWork[Dependencies],
    referral: Referral,
    form: HelpForm,
    version: personal_records.Form,
    *,
    by: str,
    reason: str | None = None,
) -> None:
    """Stores a new referral and, encrypted, what the client wrote, and tells the others."""
    place = place_of(unit, form)
    referral.place = place.kind
    unit.session.add(referral)
    record_step(unit, referral, Step.RECEIVE, by=by, reason=reason)
    content = unit.dependencies.vault.encrypt(unit.session, referral.id, form, at=unit.now)
    personal_records.save_personal_record(unit.session, referral, version, content)
    duplicate_detection.record_match_keys(unit, referral, form)
    contacts.release_contact(unit, referral, form, ContactPurpose.ADDRESS_BOOK)
    unit.emit(build_referral_received(unit, referral, form, place))
    _raise_by_rule(unit, referral, form)
    unit.set_timer(ASSESSMENT_OVERDUE, referral.id, referral.assess_by)


def new_referral(
    unit: UnitOfWork[Dependencies],
    id_: ReferralId,
    submission_id: SubmissionId,
    form: HelpForm,
    passphrase_mark: bytes,
    *,
    state: State = State.RECEIVED,
) -> Referral:
    return Referral(
        id=id_,
        submission_id=submission_id,
        reference=_free_reference(unit, submission_id),
        client_group=form.client_group,
        received_at=unit.now,
        assess_by=add_working_days(unit.now, unit.dependencies.settings.assess_within_working_days),
        passphrase_mark=passphrase_mark,
        state=state,
        young=is_young(client_group=form.client_group, age=age_of(unit, form)),
        client_agrees=form.client_agrees,
        may_pass_on=form.consents.pass_to_therapist,
    )


def _free_reference(unit: UnitOfWork[Dependencies], submission_id: SubmissionId) -> str:
    candidates = (reference_for(submission_id, attempt) for attempt in count())
    return next(reference for reference in candidates if referrals.find_by_reference(unit.session, reference) is None)
