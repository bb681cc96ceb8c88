"""What a person tells notifications to do about a concern."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.commands.notifications import (
    AcknowledgeAlert,
    AlertView,
    OutcomeView,
    RecordOutcome,
)
from contracts.events.notifications import SafeguardingOutcomeRecorded
from contracts.sealed import OutcomeReason
from contracts.vocabulary import OutcomeId
from services.notifications.application.alerts import alert_view, outcome_view, require_alert, stand_down
from services.notifications.application.encryption import encrypt, open_sealed
from services.notifications.dependencies import Dependencies
from services.notifications.errors import UnknownAlert
from services.notifications.store import alerts


def acknowledge_alert(unit: UnitOfWork[Dependencies], request: AcknowledgeAlert) -> AlertView:
    """Puts whoever gives the command in charge of a concern and ends its escalation.

    Raises UnknownAlert, AlreadyAcknowledged.
    """
    alert = require_alert(unit, request.concern_id)
    if alert.acknowledge(by=unit.actor.who, at=unit.now):
        stand_down(unit, alert)
    return alert_view(alert)


def record_outcome(unit: UnitOfWork[Dependencies], request: RecordOutcome) -> OutcomeView:
    """Records a decision about a concern, beside those that were made before.

    Raises UnknownAlert, NotInHand, NotReadable, IdentityUsedUp.
    """
    alert = require_alert(unit, request.concern_id)
    if alert.is_test:
        raise UnknownAlert("This alert was a test: there is nothing to decide.")
    reason = open_sealed(unit, OutcomeReason, request.reason)
    stored = encrypt(unit, alert.concern_id, reason)
    outcome = alert.decide(request.outcome, id=OutcomeId(unit.new_id()), by=unit.actor.who, reason=stored, at=unit.now)
    alerts.add_outcome(unit.session, outcome)
    unit.emit(
        SafeguardingOutcomeRecorded(
            concern_id=alert.concern_id,
            referral_id=alert.referral_id,
            outcome=outcome.outcome,
            recorded_at=outcome.decided_at,
        )
    )
    return outcome_view(outcome)
