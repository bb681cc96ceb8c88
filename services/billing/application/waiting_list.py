"""The subsidy waiting list: joining it, leaving it, and when it is served."""

from __future__ import annotations

from datetime import datetime

from contracts.vocabulary import ReferralId
from services.billing.dependencies import BillingUnit
from services.billing.domain.referrals import Referral
from services.billing.domain.waiting_list import WaitingListEntry
from services.billing.store import rows, waiting_list

SERVE_WAITING_LIST, START_FUND = "serve_waiting_list", "start_fund"
MONEY_COMES = (SERVE_WAITING_LIST, START_FUND)
EVERYBODY = "everybody"


def money_has_come(unit: BillingUnit) -> None:
    """Schedules one serving of the waiting list, however often money comes at this moment."""
    unit.set_timer(SERVE_WAITING_LIST, EVERYBODY, unit.now)


def wait_again(unit: BillingUnit, referral: Referral, *, asked_at: datetime | None = None) -> None:
    """Puts a referral on the waiting list whose award has ended, and has the list served.

    `asked_at` decides who is served first: by default when the referral was received; now for the end of the list.
    """
    if referral.asks_for_subsidy and waiting_list.find_entry(unit.session, referral.id) is None:
        entry = WaitingListEntry(referral_id=referral.id, asked_at=asked_at or referral.received_at)
        rows.add(unit.session, entry)
        money_has_come(unit)


def leave_waiting_list(unit: BillingUnit, referral_id: ReferralId) -> None:
    if entry := waiting_list.find_entry(unit.session, referral_id):
        unit.session.delete(entry)
