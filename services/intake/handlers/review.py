"""Requests that a machine may have written: a person releases them, or discards them."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from contracts.commands.intake import Discard, Done, Release
from contracts.vocabulary import ContactPurpose
from services.intake.application.contacts import release_contact
from services.intake.application.history import take_step
from services.intake.application.lookup import get_as_seen
from services.intake.application.records import decrypt_record
from services.intake.application.registration import watch_assessment
from services.intake.application.search_facts import publish_search_facts
from services.intake.dependencies import Dependencies
from services.intake.domain.states import Step
from services.intake.errors import ConcernOpen
from services.intake.store import concerns


def release(unit: UnitOfWork[Dependencies], request: Release) -> Done:
    """It goes on as any request, and is due as it was when it came. Raises UnknownReferral, ChangedMeanwhile,
    StepNotPossible."""
    referral = get_as_seen(unit, request)
    take_step(unit, referral, Step.RELEASE, by=unit.actor.who, note=request.note)
    unit.record_audit(AuditAction.RELEASED, who=unit.actor.who, subject_id=referral.id)
    watch_assessment(unit, referral)
    form = decrypt_record(unit, referral)
    release_contact(unit, referral, form, ContactPurpose.ADDRESS_BOOK)  # from now on they are written to
    publish_search_facts(unit, referral, form)  # help with the cost may be set aside now
    return Done()


def discard(unit: UnitOfWork[Dependencies], request: Discard) -> Done:
    """It is erased after a while, unless it is released before. The others have nothing to stop: nobody is sought
    before an assessment.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible, ConcernOpen.
    """
    referral = get_as_seen(unit, request)
    if any(concern.acknowledged_at is None for concern in concerns.concerns_of(unit.session, referral.id)):
        raise ConcernOpen(f"Nobody has the safeguarding concern about {referral.reference} in hand yet: do that first.")
    take_step(unit, referral, Step.DISCARD, by=unit.actor.who, reason=request.reason, note=request.note)
    reason = request.reason.value
    unit.record_audit(AuditAction.DISCARDED, who=unit.actor.who, subject_id=referral.id, reason=reason)
    return Done()
