"""Safeguarding alerts: sent at once, at any hour, and escalated until a named person takes the concern in hand."""

from __future__ import annotations

from uuid import UUID

import structlog

from chassis.ports import Invalid, Timer, UnitOfWork
from chassis.privacy.one_time_links import hash_of
from chassis.privacy.opening import open_or_park
from chassis.privacy.sealing import Unopenable
from contracts.events.intake import SafeguardingConcernRaised
from contracts.events.notifications import (
    SafeguardingAlertSent,
)
from contracts.events.web import AlertAnswered
from contracts.sealed import AlertAnswer, ConcernReference
from contracts.shape import InvalidShape
from contracts.vocabulary import AlertStep, ConcernId, LinkState, MessageId
from services.notifications.application.alerts import (
    REPORT_UNREACHED,
    call_people,
    escalate,
    escalate_if_unreachable,
    link_state,
    stand_down,
)
from services.notifications.application.delivery import DeliveryResult, give_up, record_result
from services.notifications.application.on_duty import person_on_duty
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alerts import TIME_TO_REACH, Alert
from services.notifications.domain.messages import Message, State
from services.notifications.store import alerts, messages

log = structlog.get_logger()


def raise_alert(unit: UnitOfWork[Dependencies], event: SafeguardingConcernRaised) -> None:
    """Alerts the duty lead at once and starts the escalation clock."""
    if alerts.find_alert(unit.session, event.concern_id):
        return
    alert = Alert(
        concern_id=event.concern_id,
        referral_id=event.referral_id,
        severity=event.severity,
        category=event.category,
        raised_at=event.raised_at,
    )
    unit.session.add(alert)
    call_people(unit, alert, alert.begin(), reference=_reference(unit, event))
    unit.set_timer_after(REPORT_UNREACHED, alert.concern_id, TIME_TO_REACH)


def _reference(unit: UnitOfWork[Dependencies], event: SafeguardingConcernRaised) -> str | None:
    """Never worth an alert: what can't be opened is left out."""
    try:
        return unit.dependencies.keyring.open(ConcernReference, event.sealed).reference if event.sealed else None
    except (Unopenable, InvalidShape):
        return None


def escalate_alert(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Nobody answered in time: the next person is alerted; after the last one everybody, again and again."""
    escalate(unit, alerts.get_alert(unit.session, ConcernId(UUID(timer.key))))


def report_unreached(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Every channel has failed so far. Says so in the log every minute, until somebody is reached or answers."""
    alert = alerts.get_alert(unit.session, ConcernId(UUID(timer.key)))
    if not alert.is_open or alert.reached_at or alert.is_test:
        return
    log.critical(
        "safeguarding_unreached",
        concern_id=str(alert.concern_id),
        severity=alert.severity.value,
        step=alert.step.value,
        raised_at=alert.raised_at.isoformat(),
    )
    unit.set_timer_after(REPORT_UNREACHED, alert.concern_id, TIME_TO_REACH)


def record_alert_sent(unit: UnitOfWork[Dependencies], timer: Timer, result: DeliveryResult) -> None:
    message, alert = _message_and_alert(unit, timer)
    record_result(unit, message, result)
    if message.state is State.FAILED:
        escalate_if_unreachable(unit, alert, message)
    elif message.state is State.SENT:
        alert.reach(at=unit.now)
        link = alerts.find_link_of_message(unit.session, message.id)
        if link:
            link.record_sent(to=result.staff_id, at=unit.now)
        if not alert.is_test:
            unit.emit(
                SafeguardingAlertSent(
                    concern_id=alert.concern_id,
                    referral_id=alert.referral_id,
                    step=AlertStep(message.recipient.value),
                    sent_at=unit.now,
                    channel=message.channel,
                )
            )


def record_alert_failed(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    message, alert = _message_and_alert(unit, timer)
    give_up(unit, message)
    escalate_if_unreachable(unit, alert, message)


def _message_and_alert(unit: UnitOfWork[Dependencies], timer: Timer) -> tuple[Message, Alert]:
    message = messages.get_message(unit.session, MessageId(UUID(timer.key)))
    assert message.concern_id is not None
    return message, alerts.get_alert(unit.session, message.concern_id)


def record_alert_answer(unit: UnitOfWork[Dependencies], event: AlertAnswered) -> None:
    """Whoever the link was sent to takes the concern in hand. Does nothing if it can't be answered any more.

    Raises Invalid for what can't be opened, or belongs to no alert.
    """
    answer = open_or_park(unit.dependencies.keyring, AlertAnswer, event.sealed)
    link = alerts.find_alert_link(unit.session, hash_of(answer.token))
    if link is None:
        raise Invalid("the answer belongs to no alert")
    alert = alerts.get_alert(unit.session, link.concern_id)
    if link_state(unit, link, alert) is LinkState.OPEN:
        alert.acknowledge(by=person_on_duty(unit, link.step).name, at=unit.now)
        stand_down(unit, alert)
