"""How far concerns have come, for a console that wasn't there when it was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from chassis.ports import UnitOfWork
from contracts.commands.snapshots import ConcernSnapshot, ListSnapshots, SnapshotPage
from contracts.vocabulary import AlertStep
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alerts import LADDER, Alert, Outcome
from services.notifications.domain.messages import Message, State
from services.notifications.store import alerts, messages


def list_snapshots(unit: UnitOfWork[Dependencies], request: ListSnapshots) -> SnapshotPage:
    """All concerns of the next referrals about which there are any."""
    referral_ids = alerts.referrals_after(unit.session, request.after, request.limit)
    page = alerts.numbered_alerts_of(unit.session, referral_ids)
    sent = messages.about_concerns(unit.session, [alert.concern_id for alert, _ in page])
    decided = alerts.newest_outcomes_of(unit.session, [alert.concern_id for alert, _ in page])
    return SnapshotPage(
        concerns=tuple(
            _snapshot(alert, number, sent[alert.concern_id], decided.get(alert.concern_id)) for alert, number in page
        ),
        after=referral_ids[-1] if len(referral_ids) == request.limit else None,
    )


def _snapshot(alert: Alert, number: int, sent: Sequence[Message], outcome: Outcome | None) -> ConcernSnapshot:
    climbed_at, step = max(_climbs(alert, sent), default=(None, None))
    return ConcernSnapshot(
        concern_id=alert.concern_id,
        referral_id=alert.referral_id,
        number=number,
        severity=alert.severity,
        category=alert.category,
        raised_at=alert.raised_at,
        step=step,
        climbed_at=climbed_at,
        acknowledged_at=alert.acknowledged_at,
        outcome=outcome.outcome if outcome else None,
        outcome_at=outcome.decided_at if outcome else None,
    )


def _climbs(alert: Alert, sent: Sequence[Message]) -> Iterable[tuple[datetime, AlertStep]]:
    """When an alert went out to the person of a step, and when it went on to the step where it is."""
    for message in sent:
        if message.state is State.SENT and message.settled_at and message.recipient.value in LADDER:
            yield message.settled_at, AlertStep(message.recipient.value)
    called = [message.queued_at for message in sent if message.recipient.value == alert.step.value]
    if called and alert.step is not LADDER[0]:
        yield min(called), alert.step
