"""What a person's screen asks of the console's lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from chassis.ports import UnitOfWork
from contracts.accounts import AccountId
from contracts.commands.console import (
    ConcernFacts,
    CountQueues,
    CountWork,
    EventFact,
    EventSeen,
    HandedOver,
    ListEvents,
    ListNewToMe,
    ListQueue,
    NewToMe,
    QueueCount,
    QueueItem,
    QueuePage,
    ReferralFacts,
    ShowReferral,
    WorkOf,
    WorkQueue,
)
from contracts.permissions import account_of
from services.console.dependencies import Dependencies
from services.console.domain.queues import place_of
from services.console.domain.referral import Concern, Referral
from services.console.errors import UnknownReferral
from services.console.store import archive, opened, queues, referrals


def list_queue(unit: UnitOfWork[Dependencies], request: ListQueue) -> QueuePage:
    rows, after = queues.page(unit.session, request, mine=_me(unit), now=unit.now)
    version = queues.version_of(unit.session, request.queue)
    return QueuePage(items=tuple(_item(row) for row in rows), after=after, version=version)


def count_queues(unit: UnitOfWork[Dependencies], request: CountQueues) -> list[QueueCount]:
    waiting = queues.unacknowledged(unit.session)
    return [
        QueueCount(
            queue=counted.queue,
            total=counted.total,
            overdue=counted.overdue,
            mine=counted.mine,
            oldest_at=counted.oldest_at,
            unacknowledged=waiting if counted.queue is WorkQueue.CONCERNS else 0,
        )
        for counted in queues.counts(unit.session, mine=_me(unit), now=unit.now)
    ]


def show_referral(unit: UnitOfWork[Dependencies], request: ShowReferral) -> ReferralFacts:
    """Raises UnknownReferral."""
    facts, me = _facts(unit, referrals.find_referral(unit.session, request.referral_id)), _me(unit)
    is_new = me is not None and opened.is_new(unit.session, AccountId(me), request.referral_id)
    return replace(facts, is_new_to_me=is_new)


def list_new_to_me(unit: UnitOfWork[Dependencies], request: ListNewToMe) -> NewToMe:
    me = _me(unit)
    if me is None:
        return NewToMe(total=0)
    rows = opened.new_to(unit.session, AccountId(me), limit=request.limit)
    return NewToMe(
        total=opened.count_new(unit.session, AccountId(me)),
        items=tuple(HandedOver(referral_id=row.id, handed_over_at=row.handed_over_at, state=row.state) for row in rows),
    )


def list_events(unit: UnitOfWork[Dependencies], request: ListEvents) -> list[EventSeen]:
    rows = archive.page_of(unit.session, request)
    return [_seen(row) for row in rows]


def count_work(unit: UnitOfWork[Dependencies], request: CountWork) -> list[WorkOf]:
    counted = referrals.count_work(unit.session, account_id=request.account_id, limit=request.limit)
    return [WorkOf(account_id=AccountId(row.assigned_to), referrals=row.referrals) for row in counted]


def _me(unit: UnitOfWork[Dependencies]) -> UUID | None:
    """The account of whoever asks, if it has one."""
    return account_of(unit.actor.who)[1]


def _item(row: Row[Any]) -> QueueItem:
    names = (
        "subject_id", "referral_id", "since", "due_at", "assigned_to", "client_group", "risk_level",
        "route", "local_authority", "needs_safeguarding_lead", "place", "reason", "offers_made", "offer_distance_km",
        "severity", "category", "acknowledged_at",
    )  # fmt: skip
    return QueueItem(**{name: getattr(row, name) for name in names})


def _facts(unit: UnitOfWork[Dependencies], referral: Referral | None) -> ReferralFacts:
    """Raises UnknownReferral for what intake has not spoken of yet, too."""
    if referral is None or referral.state is None or referral.state_since is None:
        raise UnknownReferral("There is no such referral here. It may have been erased.")
    place = place_of(referral)
    same = (
        "received_at", "route", "client_group", "age_band", "local_authority", "language", "sessions",
        "previous_referral_id", "needs_safeguarding_lead", "place", "assigned_to", "assessed_at", "risk_level",
        "competence", "work", "offers_made", "offered_to", "offer_expires_at", "offer_distance_km", "therapist_id",
        "match_id", "matched_at", "subsidy", "version",
    )  # fmt: skip
    return ReferralFacts(
        referral_id=referral.id,
        state=referral.state,
        since=referral.state_since,
        seen=referral.step,
        queue=place.queue if place else None,
        due_at=place.due_at if place else None,
        reason=place.reason if place else referral.reason,
        concerns=tuple(
            _concern(concern) for concern in referrals.concerns_of(unit.session, referral.id) if concern.raised_at
        ),
        **{name: getattr(referral, name) for name in same},
    )


def _concern(concern: Concern) -> ConcernFacts:
    assert concern.severity is not None
    assert concern.category is not None
    assert concern.raised_at is not None
    return ConcernFacts(
        concern_id=concern.id,
        severity=concern.severity,
        category=concern.category,
        raised_at=concern.raised_at,
        step=concern.step,
        acknowledged_at=concern.acknowledged_at,
        outcome=concern.outcome,
    )


def _seen(row: Row[Any]) -> EventSeen:
    data = orjson.loads(row.body)
    account = data.get("account_id")
    return EventSeen(
        position=row.position,
        event=row.event,
        publisher=row.publisher,
        happened_at=row.happened_at,
        account_id=AccountId(UUID(account)) if account else None,
        facts=tuple(
            EventFact(name=name, value=_plain(value))
            for name, value in data.items()
            if not name.endswith("_id") and value != archive.SEALED and isinstance(value, str | int | float | bool)
        ),
    )


def _plain(value: str | int | float | bool | date | datetime) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:200]
