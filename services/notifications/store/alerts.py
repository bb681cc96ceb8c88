"""Finds and stores safeguarding alerts, their links, and what was decided about their concerns."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import (
    and_,
    case,
    func,
    select,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import (
    ConcernId,
    MessageId,
    Severity,
)
from services.notifications.domain.alert_links import AlertLink
from services.notifications.domain.alerts import TIME_TO_REACH, Alert, Outcome
from services.notifications.store.tables import alert_links, alerts, outcomes


class NoSuchAlert(LookupError):
    """There is no alert about this concern."""


def get_alert(session: Session, concern_id: ConcernId) -> Alert:
    """Raises NoSuchAlert."""
    alert = find_alert(session, concern_id)
    if alert is None:
        raise NoSuchAlert(f"there is no alert about concern {concern_id}")
    return alert


def find_alert(session: Session, concern_id: ConcernId) -> Alert | None:
    return identity_map.lock(session, Alert, concern_id)


def find_alert_link(session: Session, token_hash: bytes) -> AlertLink | None:
    return session.get(AlertLink, token_hash)


def find_link_of_message(session: Session, message_id: MessageId) -> AlertLink | None:
    wanted = select(AlertLink).where(alert_links.c.message_id == message_id)
    return session.execute(wanted).scalar_one_or_none()


def list_alerts(session: Session, *, acknowledged_too: bool, limit: int) -> list[Alert]:
    """The gravest first, and of these the oldest."""
    gravity = case({severity.value: rank for rank, severity in enumerate(Severity)}, value=alerts.c.severity)
    wanted = (
        select(Alert)
        .where(alerts.c.is_test.is_(False))
        .order_by(gravity, alerts.c.raised_at, alerts.c.concern_id)
        .limit(limit)
    )
    if not acknowledged_too:
        wanted = wanted.where(alerts.c.acknowledged_at.is_(None))
    return list(session.execute(wanted).scalars())


def newest_tests(session: Session, limit: int) -> list[Alert]:
    """The newest test alerts first."""
    tests = select(Alert).where(alerts.c.is_test).order_by(alerts.c.raised_at.desc(), alerts.c.concern_id.desc())
    return list(session.execute(tests.limit(limit)).scalars())


def count_unreached(session: Session, at: datetime) -> int:
    """How many alerts have reached nobody in time. One from the future counts too: some clock was ahead."""
    nobody = and_(alerts.c.acknowledged_at.is_(None), alerts.c.reached_at.is_(None))
    late = (alerts.c.raised_at <= at - TIME_TO_REACH) | (alerts.c.raised_at > at + TIME_TO_REACH)
    wanted = select(func.count()).select_from(alerts).where(nobody, late, alerts.c.is_test.is_(False))
    return session.execute(wanted).scalar_one()


def add_outcome(session: Session, outcome: Outcome) -> None:
    session.execute(outcomes.insert().values(**asdict(outcome)))


def outcomes_of(session: Session, concern_id: ConcernId) -> list[Outcome]:
    """The earliest first."""
    wanted = select(outcomes).where(outcomes.c.concern_id == concern_id)
    found = session.execute(wanted.order_by(outcomes.c.decided_at, outcomes.c.id))
    return [Outcome(**row._mapping) for row in found]
