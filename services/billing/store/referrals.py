"""Finds referrals: by identifier, by person, by the fee that was too high."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import (
    ReferralId,
)
from services.billing.domain.awards import Award
from services.billing.domain.referrals import Referral
from services.billing.domain.waiting_list import WaitingListEntry
from services.billing.store import tables
from services.billing.store.rows import required

_referral = tables.referral_table.c

_SAME_PERSON = select(_referral.id, _referral.previous_id, _referral.merged_into_id).where(
    or_(
        _referral.id.in_(bindparam("known", expanding=True)),
        _referral.previous_id.in_(bindparam("known", expanding=True)),
        _referral.merged_into_id.in_(bindparam("known", expanding=True)),
    )
)


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return identity_map.find(session, Referral, referral_id)


def get_referral(session: Session, referral_id: ReferralId) -> Referral:
    return required(find_referral(session, referral_id))


def same_person(session: Session, referral_id: ReferralId) -> frozenset[ReferralId]:
    """Every referral of the person whose referral this is: those taken up again, and those merged into one another."""
    known = frozenset({referral_id})
    while True:
        found = session.execute(_SAME_PERSON, {"known": sorted(known)})
        more = known | {id_ for row in found for id_ in row if id_ is not None}
        if more == known:
            return known
        known = more


def referrals_that_fit_nobody(session: Session, *, above_pence: int) -> Sequence[Referral]:
    """Those for whom every therapist within reach costs more than `above_pence`, as far as is known."""
    return session.scalars(select(Referral).where(_referral.least_fee_pence > above_pence)).all()


class Subsidy(NamedTuple):
    """A referral with its latest award, its place on the waiting list, and the number of the newest event about it."""

    referral: Referral
    award: Award | None
    entry: WaitingListEntry | None
    number: int


_newer = tables.award_table.alias()


_LATEST_AWARD = (
    select(_newer.c.id)
    .where(_newer.c.referral_id == _referral.id)
    .order_by(_newer.c.approved_at.desc(), _newer.c.id.desc())
    .limit(1)
    .correlate(tables.referral_table)
    .scalar_subquery()
)


def subsidies_after(session: Session, after: ReferralId | None, limit: int) -> list[Subsidy]:
    """The next by identifier, read in one statement, so that each number fits what it comes with."""
    numbers, waiting, awards = tables.metadata.tables["subject_sequence"], tables.waiting_table, tables.award_table
    wanted = (
        select(Referral, Award, WaitingListEntry, func.coalesce(numbers.c.last, 0))
        .select_from(tables.referral_table)
        .outerjoin(numbers, numbers.c.subject_id == _referral.id)
        .outerjoin(awards, awards.c.id == _LATEST_AWARD)
        .outerjoin(waiting, waiting.c.referral_id == _referral.id)
    )
    if after is not None:
        wanted = wanted.where(_referral.id > after)
    return [Subsidy(*row) for row in session.execute(wanted.order_by(_referral.id).limit(limit))]
