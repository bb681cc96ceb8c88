"""Finds awards, and what each fund has paid or promised to a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    AwardId,
    FundId,
    ReferralId,
)
from services.billing.domain.awards import Award, AwardState
from services.billing.store import tables
from services.billing.store.rows import locked

_award = tables.award_table.c

_of_referral = _award.referral_id == bindparam("referral_id")


_HELD_AWARD = prepared(locked(select(Award).where(_of_referral, _award.state == AwardState.HELD)))


_LATEST_AWARD = prepared(
    select(Award).where(_of_referral).order_by(_award.approved_at.desc(), _award.id.desc()).limit(1)
)


_promised = func.sum(_award.committed_pence - _award.released_pence)


_RECEIVED = (
    select(_award.fund_id, _promised)
    .where(_award.referral_id.in_(bindparam("referral_ids", expanding=True)))
    .group_by(_award.fund_id)
    .having(_promised > 0)
)


def find_award(session: Session, award_id: AwardId) -> Award | None:
    """An award, locked."""
    return identity_map.lock(session, Award, award_id)


def find_held_award(session: Session, referral_id: ReferralId) -> Award | None:
    """The referral's award that still has sessions to come, locked."""
    return session.scalars(_HELD_AWARD, {"referral_id": referral_id}).one_or_none()


def find_latest_award(session: Session, referral_id: ReferralId) -> Award | None:
    return session.scalars(_LATEST_AWARD, {"referral_id": referral_id}).one_or_none()


def paying_award_of(session: Session, referral_id: ReferralId, day: date) -> Award | None:
    """The award that a session of that day would draw down: it holds money and covers the day."""
    holding = _award.state.in_((AwardState.HELD, AwardState.CLOSING))
    awards = session.scalars(locked(select(Award).where(_award.referral_id == referral_id, holding)))
    return next((award for award in awards.all() if award.covers(day)), None)


def closing_awards_of(session: Session, referral_id: ReferralId) -> Sequence[Award]:
    """Those whose money is reserved for sessions that took place and are still to be reported, the oldest first."""
    found = select(Award).where(_award.referral_id == referral_id, _award.state == AwardState.CLOSING)
    return session.scalars(locked(found.order_by(_award.approved_at, _award.id))).all()


def held_awards_of(session: Session, fund_id: FundId) -> Sequence[Award]:
    table = tables.award_table
    found = select(Award).where(table.c.fund_id == fund_id, table.c.state == AwardState.HELD).order_by(table.c.id)
    return session.scalars(locked(found)).all()


def received_by(session: Session, referral_ids: Iterable[ReferralId]) -> Mapping[FundId, int]:
    """What each fund has paid or promised to a client on these referrals, in pence; no fund that gave nothing."""
    found = session.execute(_RECEIVED, {"referral_ids": sorted(referral_ids)})
    return {fund_id: int(pence) for fund_id, pence in found}
