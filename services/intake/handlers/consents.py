"""Records what a client agreed to, and reminds the office of who is still to be asked or waits for a course."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import Timer, UnitOfWork
from contracts.commands.intake import Done, RecordConsent
from contracts.vocabulary import HoldReason, ReferralId
from services.intake.application import agreements
from services.intake.application.conflicts import refuse_who_handles_linked
from services.intake.application.lookup import get_as_seen
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import AGREEMENTS
from services.intake.domain.states import IN_THERAPY, State
from services.intake.store import referrals


def record_consent(unit: UnitOfWork[Dependencies], request: RecordConsent) -> Done:
    """Puts on record what the client, or a guardian, said, and lets the search begin or wait accordingly.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible, HandlesLinkedReferral, WroteThemselves.
    """
    referral = get_as_seen(unit, request)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    agreements.record_consent(unit, referral, request, by=unit.actor.who)
    return Done()


def remind_again(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    referral = referrals.get_referral(unit.session, ReferralId(UUID(timer.key)))
    is_paused = referral.state is State.ON_HOLD and referral.held_for in AGREEMENTS
    if is_paused or referral.state in IN_THERAPY:  # a match that overtook a refusal has a therapist wait for a letter
        agreements.remind(unit, referral)


def remind_of_course(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    referral = referrals.get_referral(unit.session, ReferralId(UUID(timer.key)))
    if referral.state is State.ON_HOLD and referral.held_for is HoldReason.COURSE_WANTED:
        agreements.remind_of_course(unit, referral)
