"""Safeguarding alerts: out at once, at any hour, and on to the next person until somebody answers by name."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog

from chassis.ports import Timer, UnitOfWork
from chassis.privacy.one_time_links import hash_of, new_token
from chassis.workdays import add_working_days
from contracts.events.intake import SafeguardingConcernRaised
from contracts.events.notifications import (
    SafeguardingAlertAcknowledged,
    SafeguardingAlertEscalated,
    SafeguardingAlertSent,
)
from contracts.sealed import LinkSecret
from contracts.vocabulary import AlertStep, Channel, ConcernId, Severity
from services.notifications.application.delivery import Outcome, message_of, record_failed, record_sent
from services.notifications.application.queueing import cancel, queue_alert
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alert_links import AlertLink
from services.notifications.domain.alerts import TIME_TO_REACH, Alert, Call
from services.notifications.domain.messages import Message, State
from services.notifications.domain.templates import Recipient
from services.notifications.handlers.rota import person_on_duty
from services.notifications.store import alerts, messages

ESCALATE, SHOUT = "escalate_alert", "shout"

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
    _call(unit, alert, alert.begin())
    unit.set_timer_after(SHOUT, alert.concern_id, TIME_TO_REACH)


def escalate_alert(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Nobody answered in time: the next person is alerted; after the last one everybody, again and again."""
    _escalate(unit, alerts.get_alert(unit.session, ConcernId(UUID(timer.key))))


def shout(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Every channel has failed so far. Whoever looks at the log, the metrics or the console is told, every minute."""
    alert = alerts.get_alert(unit.session, ConcernId(UUID(timer.key)))
    if not alert.is_open or alert.reached_at:
        return
    log.critical(
        "safeguarding_unreached",
        concern_id=str(alert.concern_id),
        severity=alert.severity.value,
        step=alert.step.value,
        raised_at=alert.raised_at.isoformat(),
    )
    unit.set_timer_after(SHOUT, alert.concern_id, TIME_TO_REACH)


def stand_down(unit: UnitOfWork[Dependencies], alert: Alert) -> None:
    """Somebody has taken the concern in hand: stops the clock and whatever alert has not gone out yet."""
    unit.cancel_timer(ESCALATE, alert.concern_id)
    unit.cancel_timer(SHOUT, alert.concern_id)
    for message in messages.queued_about_concern(unit.session, alert.concern_id):
        cancel(unit, message)
    unit.emit(
        SafeguardingAlertAcknowledged(
            concern_id=alert.concern_id, referral_id=alert.referral_id, step=alert.step, acknowledged_at=unit.now
        )
    )


def record_alert_sent(unit: UnitOfWork[Dependencies], timer: Timer, outcome: Outcome) -> None:
    message, alert = _message_and_alert(unit, timer)
    record_sent(unit, timer, outcome)
    if message.state is State.FAILED:
        _pass_on(unit, alert, message)
    elif message.state is State.SENT:
        alert.reach(at=unit.now)
        link = alerts.find_link_of_message(unit.session, message.id)
        if link:
            link.sent(to=outcome.staff_id, at=unit.now)
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
    record_failed(unit, timer)
    _pass_on(unit, alert, message)


def note_bounce(unit: UnitOfWork[Dependencies], message: Message) -> None:
    """An alert that came back has reached nobody, unless another way has."""
    assert message.concern_id is not None
    alert = alerts.get_alert(unit.session, message.concern_id)
    if alert.is_open and not messages.reached_somebody(unit.session, alert.concern_id):
        alert.reached_at = None
        unit.set_timer(SHOUT, alert.concern_id, unit.now)
    _pass_on(unit, alert, message)


def _pass_on(unit: UnitOfWork[Dependencies], alert: Alert, message: Message) -> None:
    """Goes on to the next person without waiting when the one whose turn it is can be told in no way at all."""
    if message.recipient.value != alert.step.value or alert.is_at_the_top:
        return
    if all(one.state is State.FAILED for one in messages.messages_of_call(unit.session, message)):
        _escalate(unit, alert)


def _escalate(unit: UnitOfWork[Dependencies], alert: Alert) -> None:
    step = alert.step
    calls = alert.escalate()
    if not calls:
        return
    if alert.step is not step:
        unit.emit(
            SafeguardingAlertEscalated(
                concern_id=alert.concern_id, referral_id=alert.referral_id, step=alert.step, escalated_at=unit.now
            )
        )
    _call(unit, alert, calls)


def _call(unit: UnitOfWork[Dependencies], alert: Alert, calls: tuple[Call, ...]) -> None:
    """Queues an alert to each person called, by every channel they have, and winds the clock up again."""
    for call in calls:
        _call_one(unit, alert, call)
    alert.escalates_at = _next_look(unit, alert.severity)
    unit.set_timer_after(ESCALATE, alert.concern_id, alert.escalates_at - unit.now)


def _call_one(unit: UnitOfWork[Dependencies], alert: Alert, call: Call) -> None:
    person = person_on_duty(unit, call.step)
    by_text = person.telephone and Channel.TEXT not in unit.dependencies.by_hand
    for channel in (Channel.EMAIL, Channel.TEXT) if by_text else (Channel.EMAIL,):
        key, token = f"{alert.concern_id}:{call.step}:{call.round}", new_token()
        message_id = queue_alert(
            unit,
            recipient=Recipient(call.step.value),
            key=key if channel is Channel.EMAIL else f"{key}:{channel}",
            concern_id=alert.concern_id,
            referral_id=alert.referral_id,
            channel=channel,
            data={
                "severity": alert.severity.value,
                "category": alert.category.value,
                "raised_at": alert.raised_at.isoformat(),
                "step": call.step.value,
                "round": call.round,
            },
            sealed=unit.dependencies.keyring.seal("notifications", LinkSecret(token=token)),
        )
        if message_id:
            unit.session.add(
                AlertLink(
                    token_hash=hash_of(token),
                    message_id=message_id,
                    concern_id=alert.concern_id,
                    step=call.step,
                    made_at=unit.now,
                )
            )


def _next_look(unit: UnitOfWork[Dependencies], severity: Severity) -> datetime:
    policy = unit.dependencies.settings
    if severity is Severity.IMMEDIATE:
        return unit.now + policy.escalate_immediate
    if severity is Severity.URGENT:
        return unit.now + policy.escalate_urgent
    return add_working_days(unit.now, policy.escalate_advisory_working_days)


def _message_and_alert(unit: UnitOfWork[Dependencies], timer: Timer) -> tuple[Message, Alert]:
    message = message_of(unit, timer)
    assert message.concern_id is not None
    return message, alerts.get_alert(unit.session, message.concern_id)
