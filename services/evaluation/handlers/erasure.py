"""Forgetting an erased referral at evaluation."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.evaluation import ErasureConfirmed
from contracts.events.intake import ReferralErased
from services.evaluation.application.invitations import stop
from services.evaluation.dependencies import Dependencies
from services.evaluation.store import repository


def forget(unit: UnitOfWork[Dependencies], event: ReferralErased) -> None:
    """Asks nobody anything more, and cuts what leads from the forms that came back to the referral.

    Scores stay, because what therapy changes is measured by them; they are about nobody from now on.
    """
    referral = repository.referral_of(unit.session, event.referral_id)
    referral.erase(at=unit.now)
    stop(unit, referral)
    repository.forget_concerns(unit.session, referral.referral_id)
    repository.unlink_forms(unit.session, referral.referral_id, unit.new_id)
    unit.emit(ErasureConfirmed(referral_id=referral.referral_id))
