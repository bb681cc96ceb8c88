"""How subsidies stand, for a console that wasn't there when it was said."""

from __future__ import annotations

from contracts.commands.snapshots import ListSnapshots, SnapshotPage, SubsidySnapshot, SubsidyStanding
from services.billing.dependencies import BillingUnit
from services.billing.domain.awards import AwardState
from services.billing.store import referrals
from services.billing.store.referrals import Subsidy


def list_snapshots(unit: BillingUnit, request: ListSnapshots) -> SnapshotPage:
    """Of the referrals for which something was decided."""
    page = referrals.subsidies_after(unit.session, request.after, request.limit)
    return SnapshotPage(
        subsidies=tuple(
            SubsidySnapshot(referral_id=subsidy.referral.id, number=subsidy.number, standing=standing)
            for subsidy in page
            if (standing := _standing(subsidy))
        ),
        after=page[-1].referral.id if len(page) == request.limit else None,
    )


def _standing(subsidy: Subsidy) -> SubsidyStanding | None:
    """What was said of it last, as far as it can be told: that none was needed isn't kept once the referral is over."""
    if subsidy.entry and subsidy.entry.reason:
        return SubsidyStanding.WAITLISTED
    if award := subsidy.award:
        over = award.state is AwardState.ENDED or (award.state is AwardState.USED and award.released_pence)
        return SubsidyStanding.RELEASED if over else SubsidyStanding.APPROVED
    if subsidy.entry is None and subsidy.referral.asks_for_subsidy:
        return SubsidyStanding.DECLINED
    return None
