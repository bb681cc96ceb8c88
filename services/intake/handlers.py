"""What happens at intake when it hears something."""

from __future__ import annotations

from itertools import count

from chassis.ports import NotYet, Unit
from chassis.sealing import Unopenable
from chassis.workdays import add_working_days
from contracts.events.evaluation import EvaluationRiskFlagged
from contracts.events.intake import (
    ContactReleased,
    HelpRequestRefused,
    ReferralClosed,
    ReferralReceived,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import MatchEnded, TherapistMatched
from contracts.events.notifications import SafeguardingAlertAcknowledged
from contracts.events.web import HelpRequested, WithdrawalRequested
from contracts.reference import InvalidReference, parse_reference, reference_for
from contracts.sealed import FORMS, ClientContact, Credentials, HelpForm, HelpSubmission
from contracts.shape import InvalidShape
from contracts.vocabulary import (
    ClosureReason,
    ConcernId,
    ContactPurpose,
    MatchEndReason,
    ReferralId,
    RefusalReason,
    SubmissionId,
    TherapistId,
    WithdrawalReason,
)
from services.intake import store
from services.intake.domain.passphrases import mark_of, recognises
from services.intake.domain.referral import AlreadyFinished, Referral, State, age_band
from services.intake.domain.safeguarding import Concern, Finding, finding_in_evaluation, findings_in_request
from services.intake.gateways.postcodes import Place, UnknownPlace
from services.intake.tools import Tools

BY_RULE = "rule"


class SubmissionRefused(Exception):
    """A submission that can't be taken as it is."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def receive_request(unit: Unit[Tools], event: HelpRequested) -> None:
    """Takes a request for help in, or says to the front-end why it can't be taken as it is."""
    try:
        submission = _open_submission(unit, event)
        place = _resolve(unit, submission.postcode)
    except SubmissionRefused as refusal:
        unit.emit(HelpRequestRefused(submission_id=event.submission_id, reason=refusal.reason))
        return
    referral = _begin(unit, event, submission)
    unit.emit(_received(referral, submission, place))
    _release_contact(unit, referral, submission, ContactPurpose.ADDRESS_BOOK)
    for finding in findings_in_request(
        client_group=submission.client_group,
        age=submission.age,
        identifiable_person_at_risk=submission.identifiable_person_at_risk,
    ):
        raise_concern(unit, referral.id, finding, raised_by=BY_RULE)


def withdraw_request(unit: Unit[Tools], event: WithdrawalRequested) -> None:
    """Takes a request back for whoever knows its reference and passphrase."""
    try:
        referral = _recognise(unit, event)
        withdraw(unit, referral, WithdrawalReason.CLIENT_ASKED)
    except SubmissionRefused as refusal:
        unit.emit(HelpRequestRefused(submission_id=event.submission_id, reason=refusal.reason))
    except AlreadyFinished:
        return  # there is nothing left to take back


def note_match(unit: Unit[Tools], event: TherapistMatched) -> None:
    """Hands the client's contact to the therapist who accepted, if the client agreed to that."""
    referral = _known(unit, event.referral_id)
    if not referral.match(match_id=event.match_id, therapist_id=event.therapist_id, sequence=unit.sequence):
        return
    form = personal_record(unit, referral)
    if form.consents.pass_to_therapist:
        _release_contact(unit, referral, form, ContactPurpose.INTRODUCTION, event.therapist_id)


def note_match_ended(unit: Unit[Tools], event: MatchEnded) -> None:
    referral = _known(unit, event.referral_id)
    if referral.end_match(reason=event.reason, sequence=unit.sequence):
        attended = event.reason is not MatchEndReason.NOT_ATTENDED
        reason = ClosureReason.THERAPY_ENDED if attended else ClosureReason.NOT_ATTENDED
        unit.emit(ReferralClosed(referral_id=referral.id, reason=reason))


def note_risk_answer(unit: Unit[Tools], event: EvaluationRiskFlagged) -> None:
    """An answer in an evaluation form raises a concern whatever the form's total."""
    referral = _known(unit, event.referral_id)
    if referral.state is not State.ERASED:  # nobody could say any more about whom it is
        raise_concern(unit, referral.id, finding_in_evaluation(), raised_by=BY_RULE)


def note_acknowledgement(unit: Unit[Tools], event: SafeguardingAlertAcknowledged) -> None:
    concern = store.find_concern(unit.session, event.concern_id)
    if concern is None:
        raise NotYet("the concern is not recorded here yet")
    concern.acknowledged_at = concern.acknowledged_at or event.acknowledged_at


def raise_concern(unit: Unit[Tools], referral_id: ReferralId, finding: Finding, *, raised_by: str) -> ConcernId:
    """Puts a safeguarding concern on record and has it sent out at once."""
    concern = Concern(
        id=ConcernId(unit.new_id()),
        referral_id=referral_id,
        severity=finding.severity,
        category=finding.category,
        raised_at=unit.now,
        raised_by=raised_by,
    )
    unit.session.add(concern)
    unit.emit(
        SafeguardingConcernRaised(
            concern_id=concern.id,
            referral_id=referral_id,
            severity=concern.severity,
            category=concern.category,
            raised_at=concern.raised_at,
        )
    )
    return concern.id


def withdraw(unit: Unit[Tools], referral: Referral, reason: WithdrawalReason) -> bool:
    """Stops everything for a referral. False if that was so already. Raises AlreadyFinished."""
    changed = referral.withdraw(reason=reason)
    if changed:
        unit.emit(ReferralWithdrawn(referral_id=referral.id, reason=reason))
    return changed


def personal_record(unit: Unit[Tools], referral: Referral) -> HelpForm:
    content = store.get_personal_record(unit.session, referral.id)
    return unit.tools.vault.decrypt(unit.session, referral.id, HelpForm, content)


def _open_submission(unit: Unit[Tools], event: HelpRequested) -> HelpSubmission:
    """Raises SubmissionRefused."""
    if store.find_by_submission(unit.session, event.submission_id):
        raise SubmissionRefused(RefusalReason.REPLAYED)
    kind = FORMS.get((event.form, event.form_version))
    if kind is None:
        raise SubmissionRefused(RefusalReason.UNKNOWN_FORM)
    try:
        submission = unit.tools.keyring.open(kind, event.sealed)
    except Unopenable:
        raise SubmissionRefused(RefusalReason.UNSEALED) from None
    except InvalidShape:
        raise SubmissionRefused(RefusalReason.MALFORMED) from None
    if not (submission.consents.processing and submission.consents.confidentiality_understood):
        raise SubmissionRefused(RefusalReason.CONSENT_MISSING)
    return submission


def _resolve(unit: Unit[Tools], postcode: str) -> Place:
    try:
        return unit.tools.postcodes.resolve(postcode)
    except UnknownPlace:
        raise SubmissionRefused(RefusalReason.UNKNOWN_PLACE) from None


def _begin(unit: Unit[Tools], event: HelpRequested, submission: HelpSubmission) -> Referral:
    """Stores the referral and, encrypted, what the client wrote."""
    tools, id_ = unit.tools, ReferralId(unit.new_id())
    referral = Referral(
        id=id_,
        submission_id=event.submission_id,
        reference=_free_reference(unit, event.submission_id),
        client_group=submission.client_group,
        received_at=unit.now,
        assess_by=add_working_days(unit.now, tools.settings.assess_within_working_days),
        passphrase_mark=mark_of(submission.passphrase, referral_id=id_, key=tools.passphrase_key),
    )
    unit.session.add(referral)
    form = HelpForm.from_json(submission.to_json())
    content = tools.vault.encrypt(unit.session, id_, form, at=unit.now)
    store.save_personal_record(unit.session, referral, event.form, event.form_version, content)
    return referral


def _free_reference(unit: Unit[Tools], submission_id: SubmissionId) -> str:
    candidates = (reference_for(submission_id, attempt) for attempt in count())
    return next(one for one in candidates if store.find_by_reference(unit.session, one) is None)


def _received(referral: Referral, form: HelpForm, place: Place) -> ReferralReceived:
    return ReferralReceived(
        referral_id=referral.id,
        received_at=referral.received_at,
        route=form.route,
        client_group=form.client_group,
        age_band=age_band(form.age),
        outward_code=place.outward_code,
        local_authority=place.local_authority,
        police_force_area=place.police_force_area,
        language=form.language,
        sessions=form.sessions,
        max_distance_km=form.max_distance_km,
        subsidy_requested=form.subsidy_requested,
        fee_ceiling_pence=form.fee_ceiling_pence,
        known_to_authorities=form.known_to_authorities,
        evaluation_consented=form.consents.evaluation,
    )


def _release_contact(
    unit: Unit[Tools],
    referral: Referral,
    form: HelpForm,
    purpose: ContactPurpose,
    therapist_id: TherapistId | None = None,
) -> None:
    contact = ClientContact(
        referral_id=referral.id,
        reference=referral.reference,
        name=form.name,
        language=form.language,
        contact=form.contact,
    )
    sealed = unit.tools.keyring.seal("notifications", contact)
    unit.emit(ContactReleased(referral_id=referral.id, purpose=purpose, therapist_id=therapist_id, sealed=sealed))


def _recognise(unit: Unit[Tools], event: WithdrawalRequested) -> Referral:
    """Raises SubmissionRefused; NotYet while the request itself may still be under way."""
    try:
        typed = unit.tools.keyring.open(Credentials, event.sealed)
        reference = parse_reference(typed.reference)
    except Unopenable:
        raise SubmissionRefused(RefusalReason.UNSEALED) from None
    except InvalidShape:
        raise SubmissionRefused(RefusalReason.MALFORMED) from None
    except InvalidReference:
        raise SubmissionRefused(RefusalReason.NOT_RECOGNISED) from None
    referral = store.find_by_reference(unit.session, reference)
    if referral is None and _age_of_message(unit) < unit.tools.settings.wait_for_request.total_seconds():
        raise NotYet("no request with this reference has arrived yet")
    if referral is None or not recognises(referral, typed.passphrase, key=unit.tools.passphrase_key, at=unit.now):
        raise SubmissionRefused(RefusalReason.NOT_RECOGNISED)
    return referral


def _known(unit: Unit[Tools], referral_id: ReferralId) -> Referral:
    try:
        return store.get_referral(unit.session, referral_id)
    except store.NoSuchReferral:
        raise NotYet("the referral is not recorded here yet") from None


def _age_of_message(unit: Unit[Tools]) -> float:
    return (unit.now - unit.envelope.time).total_seconds() if unit.envelope else 0.0
