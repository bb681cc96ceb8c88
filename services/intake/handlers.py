"""What happens at intake when it hears something."""

from __future__ import annotations

from itertools import count

from chassis.ports import NotYet, UnitOfWork
from chassis.workdays import add_working_days
from contracts.events.billing import FirstSessionAttended, SessionReversed
from contracts.events.evaluation import EvaluationRiskFlagged
from contracts.events.intake import (
    ReferralClosed,
    ReferralReopened,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
    MatchingStalled,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    TherapistMatched,
    TherapistOffered,
)
from contracts.events.notifications import SafeguardingAlertAcknowledged
from contracts.reference import reference_for
from contracts.sealed import HelpForm
from contracts.vocabulary import (
    ClosureReason,
    ConcernId,
    ContactPurpose,
    MatchEndReason,
    ReferralId,
    ReopeningReason,
    SubmissionId,
    WithdrawalReason,
)
from services.intake import contacts, duplicates, store
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral, State, Step
from services.intake.domain.safeguarding import (
    Concern,
    Finding,
    finding_in_evaluation,
    findings_in_request,
    is_young,
)
from services.intake.records import age_of, personal_record, place_of, received
from services.intake.steps import BY_BILLING, BY_CLIENT, BY_MATCHING, BY_RULE, record, take

ASSESSMENT_OVERDUE = "assessment_overdue"
"""The timer that falls due when a request should have been assessed."""


def note_offer(unit: UnitOfWork[Dependencies], event: TherapistOffered) -> None:
    _note_search(unit, event.referral_id, Step.OFFER)


def note_offer_declined(unit: UnitOfWork[Dependencies], event: OfferDeclined) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_offer_expired(unit: UnitOfWork[Dependencies], event: OfferExpired) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON)


def note_offer_withdrawn(unit: UnitOfWork[Dependencies], event: OfferWithdrawn) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_stall(unit: UnitOfWork[Dependencies], event: MatchingStalled) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_match(unit: UnitOfWork[Dependencies], event: TherapistMatched) -> None:
    """Hands the client's contact to the therapist who accepted, if the client agreed to that."""
    referral = _known_and_assessed(unit, event.referral_id)
    if not referral.is_news(unit.sequence):
        return
    if not referral.match(match_id=event.match_id, therapist_id=event.therapist_id):
        return
    record(unit, referral, Step.MATCH, by=BY_MATCHING)
    form = personal_record(unit, referral)
    if form.consents.pass_to_therapist:
        contacts.release(unit, referral, form, ContactPurpose.INTRODUCTION, event.therapist_id)
    _begin_therapy(unit, referral)


def note_first_session(unit: UnitOfWork[Dependencies], event: FirstSessionAttended) -> None:
    """Therapy has begun; if the match itself hasn't been heard of yet, that is remembered until it is."""
    referral = _known(unit, event.referral_id)
    referral.attended(event.match_id, sequence=unit.sequence)
    _begin_therapy(unit, referral)


def note_session_reversed(unit: UnitOfWork[Dependencies], event: SessionReversed) -> None:
    """A session didn't take place after all. If none is left, therapy has not begun yet."""
    referral = _known(unit, event.referral_id)
    if event.sessions == 0 and referral.did_not_attend(event.match_id, sequence=unit.sequence):
        record(unit, referral, Step.NOT_BEGUN, by=BY_BILLING, reason=event.reason)


def note_match_ended(unit: UnitOfWork[Dependencies], event: MatchEnded) -> None:
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


def note_match_end_undone(unit: UnitOfWork[Dependencies], event: MatchEndUndone) -> None:
    """That they had parted was recorded by mistake. Who had been closed is written to again as before."""
    referral = _known_and_assessed(unit, event.referral_id)
    if not referral.is_news(unit.sequence):
        return
    was_closed = referral.state is State.CLOSED
    if not referral.go_on(match_id=event.match_id, therapist_id=event.therapist_id):
        return
    record(unit, referral, Step.GO_ON, by=BY_MATCHING, reason=event.reason)
    if was_closed:
        unit.emit(ReferralReopened(referral_id=referral.id, reason=ReopeningReason.MATCH_GOES_ON))
        contacts.release(unit, referral, personal_record(unit, referral), ContactPurpose.ADDRESS_BOOK)
    _begin_therapy(unit, referral)


def note_risk_answer(unit: UnitOfWork[Dependencies], event: EvaluationRiskFlagged) -> None:
    """An answer in an evaluation form raises a concern whatever the form's total."""
    referral = _known(unit, event.referral_id)
    if referral.state is not State.ERASED:  # nobody could say any more about whom it is
        raise_concern(unit, referral.id, finding_in_evaluation(), raised_by=BY_RULE)


def note_acknowledgement(unit: UnitOfWork[Dependencies], event: SafeguardingAlertAcknowledged) -> None:
    concern = store.find_concern(unit.session, event.concern_id)
    if concern is None:
        raise NotYet("the concern is not recorded here yet")
    concern.acknowledged_at = concern.acknowledged_at or event.acknowledged_at


def raise_concern(
    unit: UnitOfWork[Dependencies], referral_id: ReferralId, finding: Finding, *, raised_by: str
) -> ConcernId:
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
    unit: UnitOfWork[Dependencies], referral: Referral, reason: WithdrawalReason, *, by: str, note: str | None = None
) -> bool:
    """Stops everything for a referral. False if that was so already. Raises StepRefused."""
    undo_until = None if by == BY_CLIENT else unit.now + unit.dependencies.settings.undo_within
    changed = referral.withdraw(undo_until=undo_until)
    if changed:
        record(unit, referral, Step.WITHDRAW, by=by, reason=reason, note=note)
        unit.emit(ReferralWithdrawn(referral_id=referral.id, reason=reason, final_at=undo_until))
    return changed


def close(
    unit: UnitOfWork[Dependencies], referral: Referral, reason: ClosureReason, *, by: str, note: str | None = None
) -> None:
    """Nothing more will happen for a referral that has ended. Raises StepRefused."""
    take(unit, referral, Step.CLOSE, by=by, reason=reason, note=note)
    unit.emit(ReferralClosed(referral_id=referral.id, reason=reason))


def _raise_by_rule(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    for finding in findings_in_request(
        client_group=form.client_group,
        age=age_of(unit, form),
        identifiable_person_at_risk=form.identifiable_person_at_risk is True,
        person_at_risk=form.person_at_risk,
    ):
        raise_concern(unit, referral.id, finding, raised_by=BY_RULE)


def begin(
    unit: UnitOfWork[Dependencies],
    referral: Referral,
    form: HelpForm,
    version: store.Form,
    *,
    by: str,
    reason: str | None = None,
) -> None:
    """Stores a new referral and, encrypted, what the client wrote, and tells the others."""
    place = place_of(unit, form)
    referral.place = place.kind
    unit.session.add(referral)
    record(unit, referral, Step.RECEIVE, by=by, reason=reason)
    content = unit.dependencies.vault.encrypt(unit.session, referral.id, form, at=unit.now)
    store.save_personal_record(unit.session, referral, version, content)
    duplicates.note_marks(unit, referral, form)
    contacts.release(unit, referral, form, ContactPurpose.ADDRESS_BOOK)
    unit.emit(received(unit, referral, form, place))
    _raise_by_rule(unit, referral, form)
    unit.set_timer(ASSESSMENT_OVERDUE, referral.id, referral.assess_by)


def new_referral(
    unit: UnitOfWork[Dependencies], id_: ReferralId, submission_id: SubmissionId, form: HelpForm, passphrase_mark: bytes
) -> Referral:
    return Referral(
        id=id_,
        submission_id=submission_id,
        reference=_free_reference(unit, submission_id),
        client_group=form.client_group,
        received_at=unit.now,
        assess_by=add_working_days(unit.now, unit.dependencies.settings.assess_within_working_days),
        passphrase_mark=passphrase_mark,
        young=is_young(client_group=form.client_group, age=age_of(unit, form)),
        client_agrees=form.client_agrees,
        may_pass_on=form.consents.pass_to_therapist,
    )


def _free_reference(unit: UnitOfWork[Dependencies], submission_id: SubmissionId) -> str:
    candidates = (reference_for(submission_id, attempt) for attempt in count())
    return next(one for one in candidates if store.find_by_reference(unit.session, one) is None)


def _note_search(
    unit: UnitOfWork[Dependencies], referral_id: ReferralId, step: Step, reason: str | None = None
) -> None:
    """Takes in how the search goes, if that is still news."""
    referral = _known_and_assessed(unit, referral_id)
    if referral.is_news(unit.sequence) and referral.hear(step):
        record(unit, referral, step, by=BY_MATCHING, reason=reason)


def _begin_therapy(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    if referral.has_begun:
        take(unit, referral, Step.ATTEND, by=BY_BILLING)


def _known_and_assessed(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    referral = _known(unit, referral_id)
    if not referral.is_assessed:
        raise NotYet("the referral's assessment is not recorded here yet")
    return referral


def _known(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    try:
        return store.get_referral(unit.session, referral_id)
    except store.NoSuchReferral:
        raise NotYet("the referral is not recorded here yet") from None
