"""Notes that people of the charity add to a referral: a step of its history that changes nothing."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.commands.intake import AddNote, Done
from services.intake.application.conflicts import refuse_who_handles_linked
from services.intake.application.history import take_step
from services.intake.application.lookup import get_referral
from services.intake.dependencies import Dependencies
from services.intake.domain.states import Step


def add_note(unit: UnitOfWork[Dependencies], request: AddNote) -> Done:
    """Keeps what somebody wrote, encrypted under the client's key; its kind is the step's reason.

    Raises UnknownReferral, StepNotPossible, HandlesLinkedReferral, NotSealedToIntake.
    """
    referral = get_referral(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    take_step(unit, referral, Step.NOTE, by=unit.actor.who, reason=request.kind, note=request.note)
    return Done()
