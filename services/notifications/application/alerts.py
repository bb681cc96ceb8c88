"""Safeguarding alerts: sends them to whoever is next, escalates them, and ends them once somebody has answered."""

from __future__ import annotations

from datetime import datetime

from chassis.ports import UnitOfWork
from chassis.privacy.one_time_links import hash_of, new_token
from chassis.workdays import add_working_days
from contracts.commands.notifications import (
    AlertView,
    OutcomeView,
)
from contracts.events.notifications import (
    SafeguardingAlertAcknowledged,
    SafeguardingAlertEscalated,
)
from contracts.sealed import AlertSecret
from contracts.vocabulary import Channel, ConcernId, LinkState, Severity
from services.notifications.application.on_duty import person_on_duty, staff_on_duty
from services.notifications.application.queueing import cancel, queue_alert
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alert_links import AlertLink
from services.notifications.domain.alerts import (
    Alert,
    Call,
    Outcome,
)
from services.notifications.domain.messages import Message, State
from services.notifications.domain.templates import Recipient
from services.notifications.errors import UnknownAlert
from services.notifications.store import alerts, messages

ESCALATE, REPORT_UNREACHED = "escalate_alert", "shout"


def require_alert(unit: UnitOfWork[Dependencies], concern_id: ConcernId) -> Alert:
    """Raises UnknownAlert, which a person can act on."""
    try:
        return alerts.get_alert(unit.session, concern_id)
    except alerts.NoSuchAlert:
        raise UnknownAlert("There is no alert about such a concern. Please check the identifier.") from None


def alert_view(alert: Alert) -> AlertView:
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


def outcome_view(outcome: Outcome) -> OutcomeView:
    return OutcomeView(
        outcome_id=outcome.id,
        outcome=outcome.outcome,
        decided_by=outcome.decided_by,
        decided_at=outcome.decided_at,
    )


def stand_down(unit: UnitOfWork[Dependencies], alert: Alert) -> None:
    """Somebody has taken the concern in hand: stops the clock and whatever alert has not gone out yet."""
    unit.cancel_timer(ESCALATE, alert.concern_id)
    unit.cancel_timer(REPORT_UNREACHED, alert.concern_id)
    for message in messages.queued_about_concern(unit.session, alert.concern_id):
        cancel(unit, message)
    if not alert.is_test:
        unit.emit(
            SafeguardingAlertAcknowledged(
                concern_id=alert.concern_id, referral_id=alert.referral_id, step=alert.step, acknowledged_at=unit.now
            )
        )


def record_alert_bounced(unit: UnitOfWork[Dependencies], message: Message) -> None:
    """An alert that came back has reached nobody, unless another way has."""
    assert message.concern_id is not None
    alert = alerts.get_alert(unit.session, message.concern_id)
    if alert.is_open and not messages.reached_somebody(unit.session, alert.concern_id):
        alert.reached_at = None
        unit.set_timer(REPORT_UNREACHED, alert.concern_id, unit.now)
    escalate_if_unreachable(unit, alert, message)


def escalate_if_unreachable(unit: UnitOfWork[Dependencies], alert: Alert, message: Message) -> None:
    """Goes on to the next person without waiting if every message to the one whose turn it is has failed."""
    if message.recipient.value != alert.step.value or alert.is_at_the_top:
        return
    if all(sent.state is State.FAILED for sent in messages.messages_of_call(unit.session, message)):
        escalate(unit, alert)


def escalate(unit: UnitOfWork[Dependencies], alert: Alert) -> None:
    """Alerts the next person, or everybody again. Does nothing once somebody has taken the concern in hand."""
    step = alert.step
    calls = alert.escalate()
    if not calls:
        return
    if alert.step is not step and not alert.is_test:
        unit.emit(
            SafeguardingAlertEscalated(
                concern_id=alert.concern_id, referral_id=alert.referral_id, step=alert.step, escalated_at=unit.now
            )
        )
    call_people(unit, alert, calls)


def call_people(
    unit: UnitOfWork[Dependencies], alert: Alert, calls: tuple[Call, ...], *, reference: str | None = None
) -> None:
    """Queues an alert to each person called, by every channel they have, and sets the time of the next escalation."""
    for call in calls:
        _call_person(unit, alert, call, reference)
    alert.escalates_at = _next_escalation(unit, alert.severity)
    unit.set_timer_after(ESCALATE, alert.concern_id, alert.escalates_at - unit.now)


def _call_person(unit: UnitOfWork[Dependencies], alert: Alert, call: Call, reference: str | None) -> None:
    person = person_on_duty(unit, call.step)
    by_text = person.telephone and Channel.TEXT not in unit.dependencies.by_hand
    for channel in (Channel.EMAIL, Channel.TEXT) if by_text else (Channel.EMAIL,):
        key, token = f"{alert.concern_id}:{call.step}:{call.round}", new_token()
        message_id = queue_alert(
            unit,
            recipient=Recipient(call.step.value),
            key=key if channel is Channel.EMAIL else f"{key}:{channel}",
            concern_id=alert.concern_id,
            referral_id=alert.about,
            channel=channel,
            data={
                "severity": alert.severity.value,
                "category": alert.category.value,
                "raised_at": alert.raised_at.isoformat(),
                "step": call.step.value,
                "round": call.round,
                "is_test": alert.is_test,
            },
            sealed=unit.dependencies.keyring.seal("notifications", AlertSecret(token=token, reference=reference)),
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


def _next_escalation(unit: UnitOfWork[Dependencies], severity: Severity) -> datetime:
    policy = unit.dependencies.settings
    if severity is Severity.IMMEDIATE:
        return unit.now + policy.escalate_immediate
    if severity is Severity.URGENT:
        return unit.now + policy.escalate_urgent
    return add_working_days(unit.now, policy.escalate_advisory_working_days)


def link_state(unit: UnitOfWork[Dependencies], link: AlertLink, alert: Alert) -> LinkState:
    """What can still be done with an alert's link, given who is on duty now."""
    on_duty, lasts = staff_on_duty(unit, link.step), unit.dependencies.settings.alert_link_lasts
    return link.state(alert, on_duty=on_duty, at=unit.now, lasts=lasts)
