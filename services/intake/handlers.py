"""What happens at intake when it hears something."""

from __future__ import annotations

from itertools import count

from chassis.ports import NotYet, Unit
from chassis.sealing import Unopenable
from chassis.workdays import add_working_days
from contracts.events.billing import FirstSessionAttended
from contracts.events.evaluation import EvaluationRiskFlagged
from contracts.events.intake import (
    ContactReleased,
    HelpRequestRefused,
    ReferralClosed,
    ReferralReceived,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import (
    MatchEnded,
    MatchingStalled,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    TherapistMatched,
    TherapistOffered,
)
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
from services.intake import duplicates, store
from services.intake.domain.passphrases import mark_of, recognises
from services.intake.domain.referral import Referral, State, Step, StepRefused, age_band, age_in_years, can_be_born_on
from services.intake.domain.safeguarding import (
    Concern,
    Finding,
    finding_in_evaluation,
    findings_in_request,
    is_young,
)
from services.intake.gateways.postcodes import Place
from services.intake.steps import BY_BILLING, BY_CLIENT, BY_MATCHING, BY_RULE, record, take
from services.intake.tools import Tools

ASSESSMENT_OVERDUE = "assessment_overdue"
"""The timer that falls due when a request should have been assessed."""


class SubmissionRefused(Exception):
    """A submission that can't be taken as it is."""

    def __init__(self, reason: RefusalReason, *, field: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason, self.field = reason, field


def receive_request(unit: Unit[Tools], event: HelpRequested) -> None:
    """Takes a request for help in, or says to the front-end why it can't be taken as it is."""
    try:
        submission = _open_submission(unit, event)
    except SubmissionRefused as refusal:
        told = HelpRequestRefused(submission_id=event.submission_id, reason=refusal.reason, field=refusal.field)
        unit.emit(told)
        return
    form = HelpForm.from_json(submission.to_json())
    id_ = ReferralId(unit.new_id())
    mark = mark_of(submission.passphrase, referral_id=id_, key=unit.tools.passphrase_key)
    referral = new_referral(unit, id_, event.submission_id, form, mark)
    begin(unit, referral, form, store.Form(event.form, event.form_version), by=BY_CLIENT)


def withdraw_request(unit: Unit[Tools], event: WithdrawalRequested) -> None:
    """Takes a request back for whoever knows its reference and passphrase."""
    try:
        referral = _recognise(unit, event)
        withdraw(unit, referral, WithdrawalReason.CLIENT_ASKED, by=BY_CLIENT)
    except SubmissionRefused as refusal:
        unit.emit(HelpRequestRefused(submission_id=event.submission_id, reason=refusal.reason))
    except StepRefused:
        return  # there is nothing left to take back


def note_offer(unit: Unit[Tools], event: TherapistOffered) -> None:
    _note_search(unit, event.referral_id, Step.OFFER)


def note_offer_declined(unit: Unit[Tools], event: OfferDeclined) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_offer_expired(unit: Unit[Tools], event: OfferExpired) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON)


def note_offer_withdrawn(unit: Unit[Tools], event: OfferWithdrawn) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_stall(unit: Unit[Tools], event: MatchingStalled) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_match(unit: Unit[Tools], event: TherapistMatched) -> None:
    """Hands the client's contact to the therapist who accepted, if the client agreed to that."""
    referral = _known_and_assessed(unit, event.referral_id)
    if not referral.is_news(unit.sequence):
        return
    if not referral.match(match_id=event.match_id, therapist_id=event.therapist_id):
        return
    record(unit, referral, Step.MATCH, by=BY_MATCHING)
    form = personal_record(unit, referral)
    if form.consents.pass_to_therapist:
        release_contact(unit, referral, form, ContactPurpose.INTRODUCTION, event.therapist_id)
    _begin_therapy(unit, referral)


def note_first_session(unit: Unit[Tools], event: FirstSessionAttended) -> None:
    """Therapy has begun; if the match itself hasn't been heard of yet, that is remembered until it is."""
    referral = _known(unit, event.referral_id)
    referral.attended(event.match_id, sequence=unit.sequence)
    _begin_therapy(unit, referral)


def note_match_ended(unit: Unit[Tools], event: MatchEnded) -> None:
    """A client who was unhappy gets another therapist; otherwise the referral ends, and is closed by rule if it may."""
    referral = _known_and_assessed(unit, event.referral_id)
    if not referral.is_news(unit.sequence):
        return
    step = Step.PART if event.reason is MatchEndReason.CLIENT_UNHAPPY else Step.END
    if not referral.part(step):
        return
    record(unit, referral, step, by=BY_MATCHING, reason=event.reason)
    if step is Step.END and not store.has_open_concern(unit.session, referral.id):
        attended = event.reason is not MatchEndReason.NOT_ATTENDED
        close(unit, referral, ClosureReason.THERAPY_ENDED if attended else ClosureReason.NOT_ATTENDED, by=BY_RULE)


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


def withdraw(
    unit: Unit[Tools], referral: Referral, reason: WithdrawalReason, *, by: str, note: str | None = None
) -> bool:
    """Stops everything for a referral. False if that was so already. Raises StepRefused."""
    changed = referral.withdraw()
    if changed:
        record(unit, referral, Step.WITHDRAW, by=by, reason=reason, note=note)
        unit.emit(ReferralWithdrawn(referral_id=referral.id, reason=reason))
    return changed


def close(unit: Unit[Tools], referral: Referral, reason: ClosureReason, *, by: str, note: str | None = None) -> None:
    """Nothing more will happen for a referral that has ended. Raises StepRefused."""
    take(unit, referral, Step.CLOSE, by=by, reason=reason, note=note)
    unit.emit(ReferralClosed(referral_id=referral.id, reason=reason))


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
    born = submission.date_of_birth
    if born and not can_be_born_on(born, today=unit.now.date()):
        raise SubmissionRefused(RefusalReason.MALFORMED, field="date_of_birth")
    return submission


def _raise_by_rule(unit: Unit[Tools], referral: Referral, form: HelpForm) -> None:
    for finding in findings_in_request(
        client_group=form.client_group,
        age=_age(unit, form),
        identifiable_person_at_risk=form.identifiable_person_at_risk,
    ):
        raise_concern(unit, referral.id, finding, raised_by=BY_RULE)


def begin(
    unit: Unit[Tools],
    referral: Referral,
    form: HelpForm,
    version: store.Form,
    *,
    by: str,
    reason: str | None = None,
) -> None:
    """Stores a new referral and, encrypted, what the client wrote, and tells the others."""
    place = unit.tools.postcodes.place_of(form.postcode)
    referral.place = place.kind
    unit.session.add(referral)
    record(unit, referral, Step.RECEIVE, by=by, reason=reason)
    content = unit.tools.vault.encrypt(unit.session, referral.id, form, at=unit.now)
    store.save_personal_record(unit.session, referral, version, content)
    duplicates.note_marks(unit, referral, form)
    unit.emit(received(unit, referral, form, place))
    release_contact(unit, referral, form, ContactPurpose.ADDRESS_BOOK)
    _raise_by_rule(unit, referral, form)
    unit.set_timer(ASSESSMENT_OVERDUE, referral.id, referral.assess_by)


def new_referral(
    unit: Unit[Tools], id_: ReferralId, submission_id: SubmissionId, form: HelpForm, passphrase_mark: bytes
) -> Referral:
    return Referral(
        id=id_,
        submission_id=submission_id,
        reference=_free_reference(unit, submission_id),
        client_group=form.client_group,
        received_at=unit.now,
        assess_by=add_working_days(unit.now, unit.tools.settings.assess_within_working_days),
        passphrase_mark=passphrase_mark,
        young=is_young(client_group=form.client_group, age=_age(unit, form)),
    )


def _age(unit: Unit[Tools], form: HelpForm) -> int | None:
    return age_in_years(age=form.age, date_of_birth=form.date_of_birth, on=unit.now.date())


def _free_reference(unit: Unit[Tools], submission_id: SubmissionId) -> str:
    candidates = (reference_for(submission_id, attempt) for attempt in count())
    return next(one for one in candidates if store.find_by_reference(unit.session, one) is None)


def received(unit: Unit[Tools], referral: Referral, form: HelpForm, place: Place) -> ReferralReceived:
    return ReferralReceived(
        referral_id=referral.id,
        received_at=referral.received_at,
        route=form.route,
        client_group=form.client_group,
        age_band=age_band(_age(unit, form)),
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
        previous_referral_id=referral.previous_id,
    )


def release_contact(
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
    return store.get_referral(unit.session, referral.merged_into) if referral.merged_into else referral


def _note_search(unit: Unit[Tools], referral_id: ReferralId, step: Step, reason: str | None = None) -> None:
    """Takes in how the search goes, if that is still news."""
    referral = _known_and_assessed(unit, referral_id)
    if referral.is_news(unit.sequence) and referral.hear(step):
        record(unit, referral, step, by=BY_MATCHING, reason=reason)


def _begin_therapy(unit: Unit[Tools], referral: Referral) -> None:
    if referral.has_begun:
        take(unit, referral, Step.ATTEND, by=BY_BILLING)


def _known_and_assessed(unit: Unit[Tools], referral_id: ReferralId) -> Referral:
    referral = _known(unit, referral_id)
    if not referral.is_assessed:
        raise NotYet("the referral's assessment is not recorded here yet")
    return referral


def _known(unit: Unit[Tools], referral_id: ReferralId) -> Referral:
    try:
        return store.get_referral(unit.session, referral_id)
    except store.NoSuchReferral:
        raise NotYet("the referral is not recorded here yet") from None


def _age_of_message(unit: Unit[Tools]) -> float:
    return (unit.now - unit.envelope.time).total_seconds() if unit.envelope else 0.0
