"""Tries out, before the service opens, that whoever is on duty is told: by an alert that says that it is a test."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from contracts.commands.notifications import AlertTestView, ListTestAlerts, SendTestAlert
from contracts.vocabulary import ConcernCategory, ConcernId, ReferralId, Severity
from services.notifications.application.alerts import call_people
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alerts import Alert
from services.notifications.errors import AlertTestUnderWay
from services.notifications.store import alerts


def send_test_alert(unit: UnitOfWork[Dependencies], request: SendTestAlert) -> AlertTestView:
    """Raises AlertTestUnderWay."""
    if any(test.is_under_way for test in alerts.newest_tests(unit.session, 1)):
        raise AlertTestUnderWay(
            "A test alert is on its way already. Take it in hand, or wait until it has been to everybody."
        )
    id_ = unit.new_id()
    alert = Alert(
        concern_id=ConcernId(id_),
        referral_id=ReferralId(id_),
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.PERSON_AT_RISK,
        raised_at=unit.now,
        is_test=True,
    )
    unit.session.add(alert)
    unit.record_audit(AuditAction.ALERT_TESTED, who=unit.actor.who, subject_id=alert.concern_id)
    call_people(unit, alert, alert.begin())
    return _view(alert)


def list_test_alerts(unit: UnitOfWork[Dependencies], request: ListTestAlerts) -> list[AlertTestView]:
    return [_view(alert) for alert in alerts.newest_tests(unit.session, request.limit)]


def _view(alert: Alert) -> AlertTestView:
    return AlertTestView(
        concern_id=alert.concern_id,
        raised_at=alert.raised_at,
        step=alert.step,
        escalates_at=alert.escalates_at,
        reached_at=alert.reached_at,
        acknowledged_by=alert.acknowledged_by,
        acknowledged_at=alert.acknowledged_at,
    )
