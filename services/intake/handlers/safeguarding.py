"""Safeguarding concerns: raised by an evaluation answer or by a person, and acknowledged."""

from __future__ import annotations

from chassis.ports import NotYet, UnitOfWork
from contracts.commands.intake import ConcernRaised, RaiseConcern
from contracts.events.evaluation import EvaluationRiskFlagged
from contracts.events.notifications import SafeguardingAlertAcknowledged
from services.intake.application.concerns import record_concern
from services.intake.application.history import BY_RULE
from services.intake.application.lookup import get_or_wait, get_referral
from services.intake.dependencies import Dependencies
from services.intake.domain.safeguarding import Finding, finding_in_evaluation
from services.intake.domain.states import State
from services.intake.errors import UnknownReferral
from services.intake.store import concerns


def note_risk_answer(unit: UnitOfWork[Dependencies], event: EvaluationRiskFlagged) -> None:
    """An answer in an evaluation form raises a concern whatever the form's total."""
    referral = get_or_wait(unit, event.referral_id)
    if referral.state is not State.ERASED:  # nobody could say any more about whom it is
        record_concern(unit, referral, finding_in_evaluation(), raised_by=BY_RULE)


def note_acknowledgement(unit: UnitOfWork[Dependencies], event: SafeguardingAlertAcknowledged) -> None:
    concern = concerns.find_concern(unit.session, event.concern_id)
    if concern is None:
        raise NotYet("the concern is not recorded here yet")
    concern.acknowledged_at = concern.acknowledged_at or event.acknowledged_at


def raise_concern(unit: UnitOfWork[Dependencies], request: RaiseConcern) -> ConcernRaised:
    """Raises UnknownReferral."""
    referral = get_referral(unit, request.referral_id)
    if referral.state is State.ERASED:
        raise UnknownReferral(f"{referral.reference} was erased: nobody can say any more whom it is about.")
    finding = Finding(request.severity, request.category)
    return ConcernRaised(concern_id=record_concern(unit, referral, finding, raised_by=unit.actor.who))
