"""What a person's screen asks of intake, or tells it to do."""

from __future__ import annotations

from chassis.ports import Refused, Unit
from chassis.sealing import ShapeT, Unopenable
from contracts.commands.intake import (
    AskStatus,
    Assess,
    AwaitingAssessment,
    ConcernRaised,
    ConcernSummary,
    CountReferrals,
    Done,
    FindReferral,
    ListAwaiting,
    RaiseConcern,
    ReferralSummary,
    Signpost,
    StateCount,
    StatusAnswer,
    Withdraw,
)
from contracts.events.intake import ReferralAssessed, ReferralSignposted
from contracts.reference import InvalidReference, parse_reference
from contracts.sealed import Aspects, Credentials
from contracts.vocabulary import ReferralId, Severity
from services.intake import handlers, store
from services.intake.domain.passphrases import recognises
from services.intake.domain.referral import Referral, State, StepRefused
from services.intake.domain.safeguarding import Finding
from services.intake.tools import Tools

WORDS = {
    State.RECEIVED: "We have your request. A person will read it, usually within two working days.",
    State.ASSESSED: "We are looking for someone near you to talk to.",
    State.MATCHED: "Someone has agreed to see you and will get in touch in the way you asked.",
    State.SIGNPOSTED: "Another service fits better. We have told you which in the way you asked.",
    State.WITHDRAWN: "Your request was taken back. You can ask again at any time.",
    State.ERASED: "We no longer hold anything about this request.",
    State.CLOSED: "Your request is closed. You can ask again at any time.",
}
"""What a client is told; nothing in it says what kind of help was asked for."""


class UnknownReferral(Refused):
    """There is no such referral; the identifier may be mistyped."""


class StepNotPossible(Refused):
    """The referral's state doesn't allow this step; the message names the state."""


class NotSealedToIntake(Refused):
    """What must travel sealed could not be opened here."""


def ask_status(unit: Unit[Tools], request: AskStatus) -> StatusAnswer:
    """Tells a client where their request stands. Never says which of the two was wrong."""
    typed = _open(unit, Credentials, request.sealed)
    referral = find_by_typed_reference(unit, typed.reference)
    if referral is None or not recognises(referral, typed.passphrase, key=unit.tools.passphrase_key, at=unit.now):
        return StatusAnswer(recognised=False)
    return StatusAnswer(recognised=True, standing=referral.state.value, words=WORDS[referral.state])


def list_awaiting(unit: Unit[Tools], request: ListAwaiting) -> list[AwaitingAssessment]:
    return [
        AwaitingAssessment(
            referral_id=one.id,
            reference=one.reference,
            client_group=one.client_group,
            received_at=one.received_at,
            assess_by=one.assess_by,
            overdue=one.assess_by < unit.now,
        )
        for one in store.awaiting_assessment(unit.session, request.limit)
    ]


def assess(unit: Unit[Tools], request: Assess) -> Done:
    """Records a person's assessment and has a therapist sought. Raises UnknownReferral, StepNotPossible."""
    referral = _get(unit, request.referral_id)
    try:
        referral.assess()
    except StepRefused as refusal:
        raise StepNotPossible(str(refusal)) from None
    aspects = _open(unit, Aspects, request.aspects)
    content = unit.tools.vault.encrypt(unit.session, referral.id, aspects, at=unit.now)
    store.save_assessment(unit.session, referral.id, request.assessor, content, unit.now)
    form = handlers.personal_record(unit, referral)
    unit.emit(
        ReferralAssessed(
            referral_id=referral.id,
            assessed_at=unit.now,
            risk_level=request.risk_level,
            competence=request.competence,
            work=request.work,
            therapist_sex=form.therapist_sex,
            wheelchair_access=form.wheelchair_access,
        )
    )
    if request.person_at_risk:
        finding = Finding(Severity.IMMEDIATE, request.person_at_risk)
        handlers.raise_concern(unit, referral.id, finding, raised_by=request.assessor)
    return Done()


def signpost(unit: Unit[Tools], request: Signpost) -> Done:
    """Raises UnknownReferral, StepNotPossible."""
    referral = _get(unit, request.referral_id)
    try:
        referral.signpost(reason=request.reason)
    except StepRefused as refusal:
        raise StepNotPossible(str(refusal)) from None
    unit.emit(ReferralSignposted(referral_id=referral.id, reason=request.reason))
    return Done()


def withdraw(unit: Unit[Tools], request: Withdraw) -> Done:
    """Raises UnknownReferral, StepNotPossible."""
    try:
        return Done(changed=handlers.withdraw(unit, _get(unit, request.referral_id), request.reason))
    except StepRefused as refusal:
        raise StepNotPossible(str(refusal)) from None


def raise_concern(unit: Unit[Tools], request: RaiseConcern) -> ConcernRaised:
    """Raises UnknownReferral."""
    referral = _get(unit, request.referral_id)
    finding = Finding(request.severity, request.category)
    return ConcernRaised(concern_id=handlers.raise_concern(unit, referral.id, finding, raised_by=request.raised_by))


def find_referral(unit: Unit[Tools], request: FindReferral) -> ReferralSummary:
    """Raises UnknownReferral."""
    referral = find_by_typed_reference(unit, request.reference)
    if referral is None:
        raise UnknownReferral("There is no request with this reference. Please check it.")
    return ReferralSummary(
        referral_id=referral.id,
        reference=referral.reference,
        state=referral.state.value,
        client_group=referral.client_group,
        received_at=referral.received_at,
        concerns=tuple(
            ConcernSummary(
                concern_id=one.id,
                severity=one.severity,
                category=one.category,
                raised_at=one.raised_at,
                acknowledged_at=one.acknowledged_at,
            )
            for one in store.concerns_of(unit.session, referral.id)
        ),
    )


def count_referrals(unit: Unit[Tools], request: CountReferrals) -> list[StateCount]:
    return [StateCount(state=state, referrals=count) for state, count in store.count_by_state(unit.session)]


def _open(unit: Unit[Tools], kind: type[ShapeT], sealed: str) -> ShapeT:
    try:
        return unit.tools.keyring.open(kind, sealed)
    except Unopenable:
        raise NotSealedToIntake("Seal this part of the command with intake's newest public key.") from None


def find_by_typed_reference(unit: Unit[Tools], reference: str) -> Referral | None:
    """By a reference as a person typed it."""
    try:
        return store.find_by_reference(unit.session, parse_reference(reference))
    except InvalidReference:
        return None


def _get(unit: Unit[Tools], referral_id: ReferralId) -> Referral:
    try:
        return store.get_referral(unit.session, referral_id)
    except store.NoSuchReferral:
        raise UnknownReferral("There is no such referral. Please check the identifier.") from None
