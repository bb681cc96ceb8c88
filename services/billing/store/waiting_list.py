"""Finds entries of the subsidy waiting list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import (
    ReferralId,
)
from services.billing.domain.waiting_list import WaitingListEntry
from services.billing.store import tables

_timer = tables.metadata.tables["timer"].c


_ANY_DUE = (
    select(_timer.name)
    .where(_timer.name.in_(bindparam("timers", expanding=True)), _timer.due_at <= bindparam("at"))
    .limit(1)
)


def find_entry(session: Session, referral_id: ReferralId) -> WaitingListEntry | None:
    return identity_map.find(session, WaitingListEntry, referral_id)


def entries_after(
    session: Session, after: tuple[datetime, ReferralId] | None, *, limit: int
) -> Sequence[WaitingListEntry]:
    """The next entries of the subsidy waiting list, in the order in which they asked."""
    table = tables.waiting_table
    found = select(WaitingListEntry).order_by(table.c.asked_at, table.c.referral_id).limit(limit)
    if after:
        asked_at, referral_id = after
        at_once = and_(table.c.asked_at == asked_at, table.c.referral_id > referral_id)
        found = found.where(or_(table.c.asked_at > asked_at, at_once))
    return session.scalars(found).all()


def is_any_due(session: Session, timers: Sequence[str], *, at: datetime) -> bool:
    """Whether one of these timers is due and has not fired yet."""
    return session.execute(_ANY_DUE, {"timers": timers, "at": at}).first() is not None
