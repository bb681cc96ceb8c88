"""What staff and clients ask intake about referrals: who waits, how one stands, its history."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.commands.intake import (
    AwaitingAssessment,
    ConcernSummary,
    CountReferrals,
    FindReferral,
    GetHistory,
    GetReferences,
    GetStatus,
    History,
    ListAwaiting,
    ListContactChanges,
    ReferenceOf,
    ReferralSummary,
    StateCount,
    StatusAnswer,
    StepTaken,
    WaitingContactChange,
)
from contracts.sealed import Credentials
from services.intake.application.conflicts import handles_linked
from services.intake.application.lookup import find_by_reference, get_referral, open_sealed
from services.intake.application.status import status_answer
from services.intake.application.verification import verify_credentials
from services.intake.dependencies import Dependencies
from services.intake.domain.states import Step
from services.intake.errors import UnknownReferral
from services.intake.store import concerns, pending_contacts, referrals


def list_awaiting(unit: UnitOfWork[Dependencies], request: ListAwaiting) -> list[AwaitingAssessment]:
    waiting = referrals.awaiting_assessment(unit.session, request.limit)
    taken_up_by = referrals.takers_of(unit.session, Step.TAKE_UP, [referral.id for referral in waiting])
    return [
        AwaitingAssessment(
            referral_id=referral.id,
            reference=referral.reference,
            client_group=referral.client_group,
            received_at=referral.received_at,
            assess_by=referral.assess_by,
            overdue=referral.assess_by < unit.now,
            taken_up_by=taken_up_by.get(referral.id),
            place=referral.place,
            needs_safeguarding_lead=referral.needs_lead,
            waits_for=referral.waits_for,
        )
        for referral in waiting
    ]


def find_referral(unit: UnitOfWork[Dependencies], request: FindReferral) -> ReferralSummary:
    """Raises UnknownReferral."""
    referral = find_by_reference(unit, request.reference)
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
                concern_id=concern.id,
                severity=concern.severity,
                category=concern.category,
                raised_at=concern.raised_at,
                acknowledged_at=concern.acknowledged_at,
            )
            for concern in concerns.concerns_of(unit.session, referral.id)
        ),
    )


def get_references(unit: UnitOfWork[Dependencies], request: GetReferences) -> list[ReferenceOf]:
    """Of those that there are."""
    found = referrals.references_of(unit.session, request.referral_ids)
    return [ReferenceOf(referral_id=referral_id, reference=reference) for referral_id, reference in found]


def count_referrals(unit: UnitOfWork[Dependencies], request: CountReferrals) -> list[StateCount]:
    return [StateCount(state=state, referrals=count) for state, count in referrals.count_by_state(unit.session)]


def get_status(unit: UnitOfWork[Dependencies], request: GetStatus) -> StatusAnswer:
    """Tells a client where their request stands. Never says which of the two was wrong."""
    typed = open_sealed(unit, Credentials, request.sealed)
    referral = verify_credentials(unit, typed)
    return status_answer(unit, referral, typed) if referral else StatusAnswer(recognised=False)


def get_history(unit: UnitOfWork[Dependencies], request: GetHistory) -> History:
    """Raises UnknownReferral."""
    referral = get_referral(unit, request.referral_id)
    return History(
        steps=tuple(
            StepTaken(
                number=row.number,
                step=row.step.value,
                state=row.state.value,
                taken_at=row.taken_at,
                taken_by=row.taken_by,
                reason=row.reason,
                fields=tuple(row.changed or ()),
                noted=row.note is not None,
            )
            for row in referrals.history_of(unit.session, referral.id)
        ),
        possible=tuple(step.value for step in referral.possible_steps),
        merged_into_id=referral.merged_into,
        contact_waits=pending_contacts.is_waiting(unit.session, referral.id),
        handles_linked=handles_linked(unit, referral, unit.actor.who),
    )


def list_contact_changes(unit: UnitOfWork[Dependencies], request: ListContactChanges) -> list[WaitingContactChange]:
    return [
        WaitingContactChange(
            referral_id=row.referral_id,
            reference=row.reference,
            client_group=row.client_group,
            whose=row.whose,
            asked_at=row.asked_at,
        )
        for row in pending_contacts.list_waiting(unit.session, limit=request.limit)
    ]
