"""What a person's screen asks of intake, or tells it to do."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.commands.intake import (
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
    Withdraw,
)
from contracts.events.intake import ReferralSignposted
from services.intake import handlers, store
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Step
from services.intake.domain.safeguarding import Finding
from services.intake.linking import refuse_who_handles_linked
from services.intake.refusals import UnknownReferral, find, get, refusing
from services.intake.steps import UNNAMED_STAFF, record


def list_awaiting(unit: UnitOfWork[Dependencies], request: ListAwaiting) -> list[AwaitingAssessment]:
    waiting = store.awaiting_assessment(unit.session, request.limit)
    taken_up_by = store.takers_of(unit.session, Step.TAKE_UP, [one.id for one in waiting])
    return [
        AwaitingAssessment(
            referral_id=one.id,
            reference=one.reference,
            client_group=one.client_group,
            received_at=one.received_at,
            assess_by=one.assess_by,
            overdue=one.assess_by < unit.now,
            taken_up_by=taken_up_by.get(one.id),
            place=one.place,
            needs_safeguarding_lead=one.needs_lead,
            waits_for=one.waits_for,
        )
        for one in waiting
    ]


def signpost(unit: UnitOfWork[Dependencies], request: Signpost) -> Done:
    """Raises UnknownReferral, StepNotPossible, SafeguardingLeadFirst, HandlesLinkedReferral."""
    referral = get(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, request.assessor)
    with refusing():
        referral.signpost(undo_until=unit.now + unit.dependencies.settings.undo_within)
    record(unit, referral, Step.SIGNPOST, by=request.assessor, reason=request.reason)
    unit.emit(ReferralSignposted(referral_id=referral.id, reason=request.reason))
    return Done()


def withdraw(unit: UnitOfWork[Dependencies], request: Withdraw) -> Done:
    """Raises UnknownReferral, StepNotPossible."""
    referral, by = get(unit, request.referral_id), request.staff or UNNAMED_STAFF
    with refusing():
        return Done(changed=handlers.withdraw(unit, referral, request.reason, by=by, note=request.note))


def raise_concern(unit: UnitOfWork[Dependencies], request: RaiseConcern) -> ConcernRaised:
    """Raises UnknownReferral."""
    referral = get(unit, request.referral_id)
    finding = Finding(request.severity, request.category)
    return ConcernRaised(concern_id=handlers.raise_concern(unit, referral.id, finding, raised_by=request.raised_by))


def find_referral(unit: UnitOfWork[Dependencies], request: FindReferral) -> ReferralSummary:
    """Raises UnknownReferral."""
    referral = find(unit, request.reference)
    if referral is None:
        raise UnknownReferral("There is no request with this reference. Please check it.")
    return ReferralSummary(
        referral_id=referral.id,
        reference=referral.reference,
        state=referral.state.value,
        client_group=referral.client_group,
        received_at=referral.received_at,
        previous_referral_id=referral.previous_id,
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


def count_referrals(unit: UnitOfWork[Dependencies], request: CountReferrals) -> list[StateCount]:
    return [StateCount(state=state, referrals=count) for state, count in store.count_by_state(unit.session)]
