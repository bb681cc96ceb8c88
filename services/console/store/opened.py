"""What was handed over to somebody, and whether they have opened it since.

It is kept here, and not in the store of accounts: here it is known when a referral was handed over, and when it is
erased, so that one statement counts and one erases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, exists, func, select
from sqlalchemy.orm import Session

from chassis.store.unit_of_work import upsert
from contracts.accounts import AccountId
from contracts.vocabulary import ReferralId
from services.console.store.referrals import IS_OPEN
from services.console.store.tables import opened, referrals


def count_new(session: Session, account_id: AccountId) -> int:
    return session.execute(select(func.count()).select_from(referrals).where(_is_new_to(account_id))).scalar_one()


def new_to(session: Session, account_id: AccountId, *, limit: int) -> Sequence[Row[Any]]:
    """The newest first."""
    columns = (referrals.c.id, referrals.c.handed_over_at, referrals.c.state)
    newest: Select[Any] = (
        select(*columns).where(_is_new_to(account_id)).order_by(referrals.c.handed_over_at.desc(), referrals.c.id)
    )
    return session.execute(newest.limit(limit)).all()


def is_new(session: Session, account_id: AccountId, referral_id: ReferralId) -> bool:
    wanted = select(referrals.c.id).where(referrals.c.id == referral_id, _is_new_to(account_id))
    return session.execute(wanted).first() is not None


def note(session: Session, account_id: AccountId, referral_id: ReferralId, *, at: datetime) -> None:
    noted = upsert(session, opened).values(account_id=account_id, referral_id=referral_id, opened_at=at)
    session.execute(
        noted.on_conflict_do_update(
            index_elements=["account_id", "referral_id"], set_={"opened_at": noted.excluded.opened_at}
        )
    )


def erase(session: Session, referral_id: ReferralId) -> None:
    session.execute(delete(opened).where(opened.c.referral_id == referral_id))


def _is_new_to(account_id: AccountId) -> ColumnElement[bool]:
    since = exists().where(
        opened.c.account_id == account_id,
        opened.c.referral_id == referrals.c.id,
        opened.c.opened_at >= referrals.c.handed_over_at,
    )
    return and_(referrals.c.assigned_to == account_id, referrals.c.handed_over_at.is_not(None), IS_OPEN, ~since)
