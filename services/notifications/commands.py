"""What a person's screen asks of notifications, or tells it to do."""

from __future__ import annotations

from chassis.ports import Refused, Unit
from contracts.commands.notifications import AcknowledgeAlert, AlertView, ListAlerts, ListMessages, MessageView
from contracts.events.notifications import SafeguardingAlertAcknowledged
from services.notifications import store
from services.notifications.domain.alerts import AcknowledgedBySomeoneElse, Alert, NameMissing
from services.notifications.domain.messages import Message
from services.notifications.handlers.alerts import ESCALATE
from services.notifications.handlers.queueing import cancel
from services.notifications.tools import Tools


class UnknownAlert(Refused):
    """There is no alert about this concern; the identifier may be mistyped."""


class NamelessAcknowledgement(Refused):
    """An alert is acknowledged by a named person."""


class AlreadyAcknowledged(Refused):
    """Somebody else has taken the concern in hand; the message says who."""


class NothingAskedAfter(Refused):
    """Say which referral or which concern the messages should be about."""


def acknowledge_alert(unit: Unit[Tools], request: AcknowledgeAlert) -> AlertView:
    """Puts a named person in charge of a concern and ends its escalation.

    Raises UnknownAlert, NamelessAcknowledgement, AlreadyAcknowledged.
    """
    alert = _get(unit, request)
    try:
        changed = alert.acknowledge(by=request.acknowledged_by, at=unit.now)
    except NameMissing as refusal:
        raise NamelessAcknowledgement(str(refusal)) from None
    except AcknowledgedBySomeoneElse as refusal:
        raise AlreadyAcknowledged(str(refusal)) from None
    if changed:
        _stand_down(unit, alert)
    return _view(alert)


def list_alerts(unit: Unit[Tools], request: ListAlerts) -> list[AlertView]:
    found = store.list_alerts(unit.session, acknowledged_too=request.all, limit=request.limit)
    return [_view(alert) for alert in found]


def list_messages(unit: Unit[Tools], request: ListMessages) -> list[MessageView]:
    """Raises NothingAskedAfter."""
    if request.referral_id is None and request.concern_id is None:
        raise NothingAskedAfter("Say which referral or which concern the messages should be about.")
    found = store.messages_about(
        unit.session, referral_id=request.referral_id, concern_id=request.concern_id, limit=request.limit
    )
    return [_message_view(message) for message in found]


def _stand_down(unit: Unit[Tools], alert: Alert) -> None:
    """Stops the clock and whatever alert has not gone out yet."""
    unit.cancel_timer(ESCALATE, alert.concern_id)
    for message in store.queued_about_concern(unit.session, alert.concern_id):
        cancel(unit, message)
    unit.emit(
        SafeguardingAlertAcknowledged(
            concern_id=alert.concern_id, referral_id=alert.referral_id, step=alert.step, acknowledged_at=unit.now
        )
    )


def _get(unit: Unit[Tools], request: AcknowledgeAlert) -> Alert:
    try:
        return store.get_alert(unit.session, request.concern_id)
    except store.NoSuchAlert:
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
    )


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
