"""What people and pages ask notifications."""

from __future__ import annotations

from datetime import timedelta

from chassis.ports import UnitOfWork
from chassis.privacy.one_time_links import hash_in
from chassis.workdays import is_bank_holiday
from contracts.commands.notifications import (
    AlertPage,
    AlertView,
    DutyView,
    GetAlertLink,
    GetRota,
    GetRotaPlan,
    LeaveView,
    ListAlerts,
    ListMessages,
    ListOutcomes,
    MessageView,
    OutcomeView,
    RotaDay,
    RotaPlan,
    ShowWording,
    Wording,
)
from contracts.london import day_of
from contracts.permissions import is_account
from contracts.vocabulary import LinkState
from services.notifications.application.alerts import alert_view, link_state, outcome_view, require_alert
from services.notifications.application.contacts import reference_of
from services.notifications.application.on_duty import person_on_duty
from services.notifications.application.wording import wording_of
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alerts import (
    LADDER,
)
from services.notifications.domain.messages import Message
from services.notifications.domain.rota import on_duty
from services.notifications.errors import NothingAskedAfter, UnknownMessage
from services.notifications.store import alerts, messages, rota


def list_outcomes(unit: UnitOfWork[Dependencies], request: ListOutcomes) -> list[OutcomeView]:
    """Raises UnknownAlert."""
    require_alert(unit, request.concern_id)
    return [outcome_view(outcome) for outcome in alerts.outcomes_of(unit.session, request.concern_id)]


def list_alerts(unit: UnitOfWork[Dependencies], request: ListAlerts) -> list[AlertView]:
    found = alerts.list_alerts(unit.session, acknowledged_too=request.all, limit=request.limit)
    return [alert_view(alert) for alert in found]


def show_wording(unit: UnitOfWork[Dependencies], request: ShowWording) -> Wording:
    """Raises UnknownMessage."""
    message = messages.read_message(unit.session, request.message_id)
    if message is None or request.referral_id not in (None, message.referral_id):
        raise UnknownMessage("There is no such message, or it was erased.")
    return wording_of(unit, message)


def list_messages(unit: UnitOfWork[Dependencies], request: ListMessages) -> list[MessageView]:
    """Raises NothingAskedAfter."""
    if request.referral_id is None and request.concern_id is None:
        raise NothingAskedAfter("Say which referral or which concern the messages should be about.")
    found = messages.messages_about(
        unit.session, referral_id=request.referral_id, concern_id=request.concern_id, limit=request.limit
    )
    return [_message_view(message) for message in found]


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


def show_rota(unit: UnitOfWork[Dependencies], request: GetRota) -> list[RotaDay]:
    first = day_of(unit.now)
    duties, leave = rota.rota_from(unit.session, first)
    return [
        RotaDay(
            day=day,
            step=step,
            staff_id=on_duty(duties, leave, step=step, day=day, is_bank_holiday=is_bank_holiday(day)),
        )
        for day in (first + timedelta(days=number) for number in range(request.days))
        for step in LADDER
    ]


def show_rota_plan(unit: UnitOfWork[Dependencies], request: GetRotaPlan) -> RotaPlan:
    duties, leave = rota.rota_from(unit.session, day_of(unit.now))
    return RotaPlan(
        duties=tuple(
            DutyView(
                duty_id=duty.id,
                staff_id=duty.staff_id,
                step=duty.step,
                starts_on=duty.starts_on,
                ends_on=duty.ends_on,
                bank_holidays=duty.bank_holidays,
            )
            for duty in sorted(duties, key=lambda duty: (duty.starts_on, duty.id))
        ),
        leave=tuple(
            LeaveView(staff_id=one.staff_id, starts_on=one.starts_on, ends_on=one.ends_on)
            for one in sorted(leave, key=lambda one: (one.starts_on, one.staff_id))
        ),
        staff=tuple(rota.all_staff(unit.session)),
    )


def open_alert(unit: UnitOfWork[Dependencies], request: GetAlertLink) -> AlertPage:
    """What an alert's link opens; for an unknown link only that it is unknown."""
    token_hash = hash_in(unit.dependencies.keyring, request.sealed)
    link = alerts.find_alert_link(unit.session, token_hash) if token_hash else None
    if link is None:
        return AlertPage(state=LinkState.UNKNOWN)
    alert = alerts.get_alert(unit.session, link.concern_id)
    state = link_state(unit, link, alert)
    if state not in (LinkState.OPEN, LinkState.ANSWERED):
        return AlertPage(state=state)
    return AlertPage(
        state=state,
        severity=alert.severity,
        category=alert.category,
        raised_at=alert.raised_at,
        reference=reference_of(unit, alert.about),
        is_test=alert.is_test,
        asked=person_on_duty(unit, link.step).name if state is LinkState.OPEN else None,
        acknowledged_by=None if is_account(alert.acknowledged_by or "") else alert.acknowledged_by,
    )
