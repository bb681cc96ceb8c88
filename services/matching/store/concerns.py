"""Records what is known of safeguarding concerns, as far as it holds a search back."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import (
    bindparam,
    select,
)
from sqlalchemy.orm import Session

from chassis.store.prepared import prepared
from chassis.store.unit_of_work import upsert
from contracts.vocabulary import (
    ConcernId,
    ReferralId,
)
from services.matching.store.tables import concerns

_OPEN_CONCERN = prepared(
    select(concerns.c.id).where(
        concerns.c.referral_id == bindparam("referral_id"), concerns.c.immediate, ~concerns.c.acknowledged
    )
)


def note_concern(session: Session, concern_id: ConcernId, referral_id: ReferralId, **known: bool) -> None:
    """What is known of a concern by now: that it is `immediate`, or that it was `acknowledged`."""
    values = {"id": concern_id, "referral_id": referral_id, "immediate": False, "acknowledged": False, **known}
    noted = upsert(session, concerns).values(**values)
    session.execute(noted.on_conflict_do_update(index_elements=[concerns.c.id], set_=known))


def has_open_concern(session: Session, referral_ids: Collection[ReferralId]) -> bool:
    """Whether an immediate concern about any of these referrals is acknowledged by nobody yet."""
    return any(session.execute(_OPEN_CONCERN, {"referral_id": id_}).first() for id_ in referral_ids)
