"""Shapes that commands and queries of billing answer with."""

from __future__ import annotations

from datetime import date

from contracts.commands.billing import (
    AwardView,
    FundView,
    ReversalView,
    SubsidyView,
)
from services.billing.dependencies import BillingUnit
from services.billing.domain.awards import Award
from services.billing.domain.funds import Fund
from services.billing.domain.referrals import Referral
from services.billing.store import (
    awards,
    waiting_list,
)
from services.billing.store.reversals import Reversal


def reversal_view(reversal: Reversal, *, changed: bool) -> ReversalView:
    return ReversalView(reversed_at=reversal.at, reversed_by=reversal.by, reason=reversal.reason, changed=changed)


def fund_view(fund: Fund, *, on: date) -> FundView:
    return FundView(
        fund_id=fund.id,
        name=fund.name,
        purposes=fund.purposes,
        starts_on=fund.starts_on,
        ends_on=fund.ends_on,
        is_open=fund.is_open(on=on),
        opened_pence=fund.opened_pence,
        available_pence=fund.available_pence,
        committed_pence=fund.committed_pence,
        drawn_pence=fund.drawn_pence,
        awards_made=fund.awards_made,
        max_awards=fund.max_awards,
        further_awards=fund.further_awards,
    )


def subsidy_view(unit: BillingUnit, referral: Referral) -> SubsidyView:
    award = awards.find_latest_award(unit.session, referral.id)
    entry = waiting_list.find_entry(unit.session, referral.id)
    return SubsidyView(
        referral_id=referral.id,
        subsidy_requested=referral.subsidy_requested,
        award=_award_view(award) if award else None,
        is_waiting=entry is not None,
        wait_reason=entry.reason if entry else None,
    )


def _award_view(award: Award) -> AwardView:
    return AwardView(
        award_id=award.id,
        fund_id=award.fund_id,
        pence_per_session=award.pence_per_session,
        sessions=award.sessions,
        sessions_used=award.sessions_used,
        committed_pence=award.committed_pence,
        held_pence=award.held_pence,
        drawn_pence=award.drawn_pence,
        released_pence=award.released_pence,
        state=award.state,
        approved_at=award.approved_at,
        starts_on=award.starts_on,
        pays_until=award.pays_until,
    )
