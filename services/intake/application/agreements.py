"""What a client has agreed to, and the search, which waits for it.

Nobody is contacted who has not agreed, and no therapist is sought before details may be passed on. A referral is
assessed all the same, so that somebody talks to whoever wrote; then it is paused until the client's answer is recorded.
"""

from __future__ import annotations

from dataclasses import replace

from chassis.ports import UnitOfWork
from chassis.workdays import add_working_days
from contracts.commands.intake import RecordConsent
from contracts.events.intake import AgreementAwaited, CourseAwaited, ReferralHeld, ReferralResumed
from contracts.sealed import Consent, Consents, HelpForm
from contracts.vocabulary import ConsentKind, ContactPurpose, HoldReason, Known, ResumptionReason
from services.intake.application import contacts
from services.intake.application.history import BY_RULE, record_step, take_step
from services.intake.application.records import decrypt_record, place_of, replace_record
from services.intake.application.search_facts import build_referral_received
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import AGREEMENTS, Referral
from services.intake.domain.states import IN_THERAPY, SEEKING, Step
from services.intake.errors import WroteThemselves

AGREEMENT_AWAITED = "agreement_awaited"
"""The timer that has the office reminded of a client who has still to be asked."""

COURSE_AWAITED = "course_awaited"
"""The timer that has the office reminded of a request that waits for a course."""

CONSENT_TEXTS = {
    ConsentKind.PASS_TO_THERAPIST: "consent_therapist",
    ConsentKind.EVALUATION: "consent_evaluation",
    ConsentKind.RESEARCH: "consent_research",
}
"""The texts of the site's forms that say what is agreed to."""


def record_consent(unit: UnitOfWork[Dependencies], referral: Referral, request: RecordConsent, *, by: str) -> None:
    """Puts on record what the client, or a guardian, said, and lets the search begin or wait accordingly.

    Raises StepNotPossible, WroteThemselves.
    """
    take_step(unit, referral, Step.RECORD_CONSENT, by=by, reason=request.consent, note=request.note)
    before, waited_for = decrypt_record(unit, referral), referral.waits_for
    form = _with_consent(unit, before, request)
    replace_record(unit, referral, form)
    referral.client_agrees, referral.may_pass_on = form.client_agrees, form.consents.pass_to_therapist
    if request.consent is ConsentKind.THIS_REQUEST:
        contacts.release_contact(unit, referral, form, ContactPurpose.ADDRESS_BOOK)
    has_agreed_now = form.client_agrees and not before.client_agrees  # so that help with the cost may be set aside
    if has_agreed_now or form.consents.evaluation != before.consents.evaluation:
        unit.emit(build_referral_received(unit, referral, form, place_of(unit, form)))
    if referral.state in IN_THERAPY and waited_for and referral.waits_for is None:
        introduce(unit, referral, form)
    _resume_or_pause(unit, referral, form)


def pause_search(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    """Pauses a referral by rule, while the client has still to agree, or where they want a course and no therapist."""
    if reason := referral.waits_for or (None if form.seeks_therapist else HoldReason.COURSE_WANTED):
        _pause(unit, referral, reason)


def pause_for_agreement(unit: UnitOfWork[Dependencies], referral: Referral) -> bool:
    """Pauses a search that has just begun or gone on, if the client has taken back what it needs."""
    if referral.state not in SEEKING or not (reason := referral.waits_for):
        return False
    _pause(unit, referral, reason)
    return True


def introduce(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    """Gives the client's contact to their therapist. If the client has taken that back meanwhile, the office asks."""
    if form.consents.pass_to_therapist and referral.waits_for is None:
        contacts.release_contact(unit, referral, form, ContactPurpose.INTRODUCTION, referral.therapist_id)
    else:
        remind(unit, referral)


def _pause(unit: UnitOfWork[Dependencies], referral: Referral, reason: HoldReason) -> None:
    referral.pause(reason)
    record_step(unit, referral, Step.HOLD, by=BY_RULE, reason=reason)
    announce_hold(unit, referral, reason)


def announce_hold(unit: UnitOfWork[Dependencies], referral: Referral, reason: HoldReason) -> None:
    """Emits what a referral is on hold for, and sees to it that the office doesn't forget what only a person can do."""
    unit.emit(ReferralHeld(referral_id=referral.id, reason=reason))
    if reason is HoldReason.COURSE_WANTED:
        _remind_of_course_later(unit, referral)
    elif reason in AGREEMENTS:
        remind(unit, referral)


def remind_of_course(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    unit.emit(CourseAwaited(referral_id=referral.id))
    _remind_of_course_later(unit, referral)


def _remind_of_course_later(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    after = unit.dependencies.settings.remind_of_course_after_working_days
    unit.set_timer(COURSE_AWAITED, referral.id, add_working_days(unit.now, after))


def remind(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Notifies the office that the client is still to be asked, and sets the timer for the next reminder."""
    if reason := referral.waits_for:
        unit.emit(AgreementAwaited(referral_id=referral.id, reason=reason))
        after = unit.dependencies.settings.remind_of_agreement_after_working_days
        unit.set_timer(AGREEMENT_AWAITED, referral.id, add_working_days(unit.now, after))


def _resume_or_pause(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    if referral.has_what_it_waited_for:
        unit.cancel_timer(AGREEMENT_AWAITED, referral.id)
        if not form.seeks_therapist:
            referral.held_for = HoldReason.COURSE_WANTED  # it stays on hold, so that nobody is sought in between
            announce_hold(unit, referral, referral.held_for)
            return
        given = ResumptionReason.CONSENT_GIVEN
        take_step(unit, referral, Step.RESUME, by=BY_RULE, reason=given)
        unit.emit(ReferralResumed(referral_id=referral.id, reason=given))
    else:
        pause_for_agreement(unit, referral)


def _with_consent(unit: UnitOfWork[Dependencies], form: HelpForm, request: RecordConsent) -> HelpForm:
    """Raises WroteThemselves."""
    if request.consent is ConsentKind.THIS_REQUEST:
        if form.written_by is None:
            raise WroteThemselves("The client wrote this request themselves. Withdraw it if they no longer want it.")
        agrees = Known.YES if request.given else Known.NO
        return replace(form, written_by=replace(form.written_by, client_agrees=agrees, agreed_how=request.told))
    said = Consent(
        text=CONSENT_TEXTS[request.consent],
        version=form.consents.text_version,
        given_at=unit.now,
        agreed=request.given,
        told=request.told,
    )
    return replace(form, consents=_changed(form.consents, request), consent_texts=(*form.consent_texts, said))


def _changed(consents: Consents, request: RecordConsent) -> Consents:
    match request.consent:
        case ConsentKind.PASS_TO_THERAPIST:
            return replace(consents, pass_to_therapist=request.given)
        case ConsentKind.EVALUATION:
            return replace(consents, evaluation=request.given)
        case _:
            return replace(consents, research=request.given)
