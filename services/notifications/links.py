"""The one-time link of an alert: what its page shows, and how whom it asks takes the concern in hand."""

from __future__ import annotations

from chassis.ports import Invalid, UnitOfWork
from chassis.privacy.one_time_links import hash_in, hash_of
from chassis.privacy.opening import open_or_park
from contracts.commands.notifications import AlertPage, AskAlertLink
from contracts.events.web import AlertAnswered
from contracts.sealed import AlertAnswer
from contracts.vocabulary import LinkState
from services.notifications.application.composition import reference_of
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alert_links import AlertLink
from services.notifications.domain.alerts import Alert
from services.notifications.handlers.alerts import stand_down
from services.notifications.handlers.rota import person_on_duty, whose_turn
from services.notifications.store import alerts


def open_alert(unit: UnitOfWork[Dependencies], request: AskAlertLink) -> AlertPage:
    """What a link opens. Of one that nobody was given only that it is unknown."""
    token_hash = hash_in(unit.dependencies.keyring, request.sealed)
    link = alerts.find_alert_link(unit.session, token_hash) if token_hash else None
    if link is None:
        return AlertPage(state=LinkState.UNKNOWN)
    alert = alerts.get_alert(unit.session, link.concern_id)
    state = _state(unit, link, alert)
    if state not in (LinkState.OPEN, LinkState.ANSWERED):
        return AlertPage(state=state)
    return AlertPage(
        state=state,
        severity=alert.severity,
        category=alert.category,
        raised_at=alert.raised_at,
        reference=reference_of(unit, alert.referral_id),
        asked=person_on_duty(unit, link.step).name if state is LinkState.OPEN else None,
        acknowledged_by=alert.acknowledged_by,
    )


def take_alert_answer(unit: UnitOfWork[Dependencies], event: AlertAnswered) -> None:
    """Whoever the link was sent to takes the concern in hand; says nothing where it can't be answered any more.

    Raises Invalid for what can't be opened, or belongs to no alert.
    """
    answer = open_or_park(unit.dependencies.keyring, AlertAnswer, event.sealed)
    link = alerts.find_alert_link(unit.session, hash_of(answer.token))
    if link is None:
        raise Invalid("the answer belongs to no alert")
    alert = alerts.get_alert(unit.session, link.concern_id)
    if _state(unit, link, alert) is LinkState.OPEN:
        alert.acknowledge(by=person_on_duty(unit, link.step).name, at=unit.now)
        stand_down(unit, alert)


def _state(unit: UnitOfWork[Dependencies], link: AlertLink, alert: Alert) -> LinkState:
    on_duty, lasts = whose_turn(unit, link.step), unit.dependencies.settings.alert_link_lasts
    return link.state(alert, on_duty=on_duty, at=unit.now, lasts=lasts)
