"""What a person's screen asks of notifications, or tells it to do."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from chassis.ports import Refused, UnitOfWork
from chassis.privacy.sealing import Unopenable
from chassis.privacy.vault import Erased
from contracts.commands.notifications import (
    AcknowledgeAlert,
    AlertView,
    ListAlerts,
    ListMessages,
    ListOutcomes,
    MessageView,
    OutcomeView,
    RecordOutcome,
)
from contracts.events.notifications import SafeguardingOutcomeRecorded
from contracts.sealed import OutcomeReason
from contracts.shape import InvalidShape, Shape
from contracts.vocabulary import ConcernId, OutcomeId
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alerts import (
    AcknowledgedBySomeoneElse,
    Alert,
    NameMissing,
    NobodyTookItInHand,
    Outcome,
)
from services.notifications.domain.messages import Message
from services.notifications.handlers.alerts import stand_down
from services.notifications.store import alerts, messages

ShapeT = TypeVar("ShapeT", bound=Shape)


class UnknownAlert(Refused):
    """There is no alert about this concern; the identifier may be mistyped."""


class NamelessAcknowledgement(Refused):
    """An alert is acknowledged by a named person."""


class AlreadyAcknowledged(Refused):
    """Somebody else has taken the concern in hand; the message says who."""


class NamelessDecision(Refused):
    """A decision about a concern is a named person's."""


class NotInHand(Refused):
    """Nobody has taken the concern in hand yet."""


class NotReadable(Refused):
    """What was sealed can't be opened here, or is not what it should be."""


class IdentityUsedUp(Refused):
    """What was kept under this identity was erased, and nothing is kept under it again."""


class NothingAskedAfter(Refused):
    """Say which referral or which concern the messages should be about."""


def acknowledge_alert(unit: UnitOfWork[Dependencies], request: AcknowledgeAlert) -> AlertView:
    """Puts a named person in charge of a concern and ends its escalation.

    Raises UnknownAlert, NamelessAcknowledgement, AlreadyAcknowledged.
    """
    alert = _get(unit, request.concern_id)
    try:
        changed = alert.acknowledge(by=request.acknowledged_by, at=unit.now)
    except NameMissing as refusal:
        raise NamelessAcknowledgement(str(refusal)) from None
    except AcknowledgedBySomeoneElse as refusal:
        raise AlreadyAcknowledged(str(refusal)) from None
    if changed:
        stand_down(unit, alert)
    return _view(alert)


def record_outcome(unit: UnitOfWork[Dependencies], request: RecordOutcome) -> OutcomeView:
    """Puts a decision about a concern on record, beside those that were made before.

    Raises UnknownAlert, NamelessDecision, NotInHand, NotReadable, IdentityUsedUp.
    """
    alert = _get(unit, request.concern_id)
    reason = open_sealed(unit, OutcomeReason, request.reason)
    stored = encrypted(unit, alert.concern_id, reason)
    try:
        outcome = alert.decide(
            request.outcome, id=OutcomeId(unit.new_id()), by=request.decided_by, reason=stored, at=unit.now
        )
    except NameMissing as refusal:
        raise NamelessDecision(str(refusal)) from None
    except NobodyTookItInHand as refusal:
        raise NotInHand(str(refusal)) from None
    alerts.add_outcome(unit.session, outcome)
    unit.emit(
        SafeguardingOutcomeRecorded(
            concern_id=alert.concern_id,
            referral_id=alert.referral_id,
            outcome=outcome.outcome,
            recorded_at=outcome.decided_at,
        )
    )
    return _outcome_view(outcome)


def list_outcomes(unit: UnitOfWork[Dependencies], request: ListOutcomes) -> list[OutcomeView]:
    """Raises UnknownAlert."""
    _get(unit, request.concern_id)
    return [_outcome_view(outcome) for outcome in alerts.outcomes_of(unit.session, request.concern_id)]


def list_alerts(unit: UnitOfWork[Dependencies], request: ListAlerts) -> list[AlertView]:
    found = alerts.list_alerts(unit.session, acknowledged_too=request.all, limit=request.limit)
    return [_view(alert) for alert in found]


def list_messages(unit: UnitOfWork[Dependencies], request: ListMessages) -> list[MessageView]:
    """Raises NothingAskedAfter."""
    if request.referral_id is None and request.concern_id is None:
        raise NothingAskedAfter("Say which referral or which concern the messages should be about.")
    found = messages.messages_about(
        unit.session, referral_id=request.referral_id, concern_id=request.concern_id, limit=request.limit
    )
    return [_message_view(message) for message in found]


def _get(unit: UnitOfWork[Dependencies], concern_id: ConcernId) -> Alert:
    try:
        return alerts.get_alert(unit.session, concern_id)
    except alerts.NoSuchAlert:
        raise UnknownAlert("There is no alert about such a concern. Please check the identifier.") from None


def _view(alert: Alert) -> AlertView:
    return AlertView(
        concern_id=alert.concern_id,
        referral_id=alert.referral_id,
        severity=alert.severity,
        category=alert.category,
        raised_at=alert.raised_at,
        step=alert.step,
        rounds=alert.rounds,
        escalates_at=alert.escalates_at,
        acknowledged_by=alert.acknowledged_by,
        acknowledged_at=alert.acknowledged_at,
        reached_at=alert.reached_at,
    )


def _outcome_view(outcome: Outcome) -> OutcomeView:
    return OutcomeView(
        outcome_id=outcome.id,
        outcome=outcome.outcome,
        decided_by=outcome.decided_by,
        decided_at=outcome.decided_at,
    )


def open_sealed(unit: UnitOfWork[Dependencies], kind: type[ShapeT], sealed: str) -> ShapeT:
    try:
        return unit.dependencies.keyring.open(kind, sealed)
    except (Unopenable, InvalidShape) as error:
        raise NotReadable(str(error)) from None


def encrypted(unit: UnitOfWork[Dependencies], subject_id: UUID, shape: Shape) -> bytes:
    """Raises IdentityUsedUp."""
    try:
        return unit.dependencies.vault.encrypt(unit.session, subject_id, shape, at=unit.now)
    except Erased:
        raise IdentityUsedUp("What was kept under this identity was erased. Please use a new one.") from None


def _message_view(message: Message) -> MessageView:
    return MessageView(
        message_id=message.id,
        template=message.template.value,
        recipient=message.recipient.value,
        channel=message.channel,
        state=message.state.value,
        queued_at=message.queued_at,
        settled_at=message.settled_at,
        failure=message.failure,
    )
