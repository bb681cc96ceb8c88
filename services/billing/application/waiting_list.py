"""The subsidy waiting list: who joins it, who leaves it, and when it is served."""

from __future__ import annotations

from datetime import datetime

from contracts.vocabulary import ReferralId
from services.billing.dependencies import BillingUnit
from services.billing.domain.referrals import Referral
from services.billing.domain.waiting_list import WaitingPlace
from services.billing.store import rows, waiting_list

SERVE_WAITING_LIST, START_FUND = "serve_waiting_list", "start_fund"
MONEY_COMES = (SERVE_WAITING_LIST, START_FUND)
EVERYBODY = "everybody"


def money_has_come(unit: BillingUnit) -> None:
    """Has the waiting list served, once, however often money comes in this moment."""
    unit.set_timer(SERVE_WAITING_LIST, EVERYBODY, unit.now)


def wait_again(unit: BillingUnit, referral: Referral, *, asked_at: datetime | None = None) -> None:
    """Puts somebody on the waiting list whose award has come to its end, and has it served.

    Where they stood before, if that was through no act of theirs; behind those who wait if `asked_at` is now.
    """
    if referral.asks_for_subsidy and waiting_list.find_place(unit.session, referral.id) is None:
        place = WaitingPlace(referral_id=referral.id, asked_at=asked_at or referral.received_at)
        rows.add(unit.session, place)
        money_has_come(unit)


def leave_waiting_list(unit: BillingUnit, referral_id: ReferralId) -> None:
    if place := waiting_list.find_place(unit.session, referral_id):
        unit.session.delete(place)
