"""Finds and stores safeguarding alerts, their links, and what was decided about their concerns."""

from __future__ import annotations

from collections.abc import Sequence
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
    ReferralId,
    Severity,
)
from services.notifications.domain.alert_links import AlertLink
from services.notifications.domain.alerts import TIME_TO_REACH, Alert, Outcome
from services.notifications.store.tables import alert_links, alerts, metadata, outcomes


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


def referrals_after(session: Session, after: ReferralId | None, limit: int) -> list[ReferralId]:
    """The next referrals about which there is a concern, by identifier."""
    wanted = select(alerts.c.referral_id).distinct().order_by(alerts.c.referral_id).limit(limit)
    if after is not None:
        wanted = wanted.where(alerts.c.referral_id > after)
    return list(session.execute(wanted).scalars())


def numbered_alerts_of(session: Session, referral_ids: Sequence[ReferralId]) -> list[tuple[Alert, int]]:
    """All alerts about these referrals, each with the number of the newest event about its concern. Not locked."""
    numbers = metadata.tables["subject_sequence"]
    wanted = (
        select(Alert, func.coalesce(numbers.c.last, 0))
        .select_from(alerts)
        .outerjoin(numbers, numbers.c.subject_id == alerts.c.concern_id)
        .where(alerts.c.referral_id.in_(referral_ids))
        .order_by(alerts.c.referral_id, alerts.c.concern_id)
    )
    return [(row[0], row[1]) for row in session.execute(wanted)]


def newest_outcomes_of(session: Session, concern_ids: Sequence[ConcernId]) -> dict[ConcernId, Outcome]:
    wanted = select(outcomes).where(outcomes.c.concern_id.in_(concern_ids))
    found = session.execute(wanted.order_by(outcomes.c.decided_at, outcomes.c.id))
    return {row.concern_id: Outcome(**row._mapping) for row in found}
