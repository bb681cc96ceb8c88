"""Finds and adds referrals and concerns as they are listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, bindparam, delete, func, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from chassis.store.unit_of_work import upsert
from contracts.accounts import AccountId
from contracts.vocabulary import ReferralId
from services.console.domain.queues import OVER
from services.console.domain.referral import Concern, Referral
from services.console.store.tables import concerns, erased, referrals

_ERASED = prepared(select(erased.c.referral_id).where(erased.c.referral_id == bindparam("referral_id")))


def lock_referral(session: Session, referral_id: ReferralId, *, heard_at: datetime) -> Referral | None:
    """The referral, locked; a new row if this is the first that is heard of it. None if it was erased."""
    found = identity_map.lock(session, Referral, referral_id)
    if found is None:  # by now another unit may have added it
        identity_map.lock_key(session, Referral, referral_id)
        found = identity_map.lock(session, Referral, referral_id)
    if found is None and not was_erased(session, referral_id):
        found = Referral(id=referral_id, heard_at=heard_at)
        session.add(found)
    return found


def lock_existing(session: Session, referral_id: ReferralId) -> Referral | None:
    return identity_map.lock(session, Referral, referral_id)


def lock_concern(session: Session, concern_id: UUID, referral_id: ReferralId) -> Concern:
    identity_map.lock_key(session, Concern, concern_id)
    found = identity_map.lock(session, Concern, concern_id)
    if found is None:
        found = Concern(id=concern_id, referral_id=referral_id)
        session.add(found)
    return found


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return session.get(Referral, referral_id)


def count_work(session: Session, *, account_id: AccountId | None, limit: int) -> Sequence[Row[Any]]:
    """Each person's account and how many referrals that aren't over are theirs; whoever has most first."""
    assigned, number = referrals.c.assigned_to, func.count().label("referrals")
    whose = assigned == account_id if account_id else assigned.is_not(None)
    wanted = select(assigned, number).where(whose, IS_OPEN).group_by(assigned).order_by(number.desc(), assigned)
    return session.execute(wanted.limit(limit)).all()


def work_of(session: Session, account_id: AccountId, *, limit: int) -> Sequence[ReferralId]:
    """The next of somebody's referrals that aren't over, by identifier."""
    theirs = select(referrals.c.id).where(referrals.c.assigned_to == account_id, IS_OPEN)
    return session.execute(theirs.order_by(referrals.c.id).limit(limit)).scalars().all()


IS_OPEN = referrals.c.state.not_in(sorted(OVER))


def concerns_of(session: Session, referral_id: ReferralId) -> Sequence[Concern]:
    wanted = select(Concern).where(concerns.c.referral_id == referral_id).order_by(concerns.c.raised_at)
    return session.execute(wanted).scalars().all()


def was_erased(session: Session, referral_id: ReferralId) -> bool:
    return session.execute(_ERASED, {"referral_id": referral_id}).first() is not None


def erase(session: Session, referral_id: ReferralId, *, at: datetime) -> None:
    """Deletes what is listed of a referral and of its concerns, and remembers that it was erased."""
    session.flush()
    session.execute(delete(concerns).where(concerns.c.referral_id == referral_id))
    session.execute(delete(referrals).where(referrals.c.id == referral_id))
    session.expire_all()
    noted = upsert(session, erased).values(referral_id=referral_id, erased_at=at)
    session.execute(noted.on_conflict_do_nothing())


def lock_many(session: Session, referral_ids: Sequence[ReferralId]) -> None:
    """Locks these rows, in one order, until the unit ends: nothing is noted of them meanwhile."""
    session.execute(select(referrals.c.id).where(referrals.c.id.in_(referral_ids)).order_by("id").with_for_update())


def replace_many(
    session: Session, ids: Sequence[ReferralId], anew: Sequence[Referral], found: Sequence[Concern]
) -> None:
    """Writes these rows in the place of all that there were of these referrals."""
    session.execute(delete(concerns).where(concerns.c.referral_id.in_(ids)))
    if found:
        session.execute(concerns.insert(), [_row(concerns, concern) for concern in found])
    if anew:
        written = upsert(session, referrals)
        others = {column.name: written.excluded[column.name] for column in referrals.c if column.name != "id"}
        rows = [_row(referrals, referral) for referral in anew]
        session.execute(written.on_conflict_do_update(index_elements=["id"], set_=others), rows)


def _row(table: Table, item: Referral | Concern) -> dict[str, Any]:
    return {column.name: getattr(item, column.name) for column in table.c}
