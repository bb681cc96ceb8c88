"""What billing does at each time it has set itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.ports import Timer
from contracts.vocabulary import AwardId, FundId, InvoiceId, MatchId, ReferralId, SubsidyReleaseReason, TherapistId
from services.billing.application import attendance, award_lifecycle, memberships, subsidies
from services.billing.application.waiting_list import money_has_come, wait_again
from services.billing.dependencies import BillingUnit
from services.billing.store import awards, funds, referrals


def renew_membership(unit: BillingUnit, timer: Timer) -> None:
    memberships.renew(unit, TherapistId(UUID(timer.key)))


def remind_of_membership(unit: BillingUnit, timer: Timer) -> None:
    memberships.remind(unit, InvoiceId(UUID(timer.key)))


def lapse_membership(unit: BillingUnit, timer: Timer) -> None:
    memberships.lapse(unit, InvoiceId(UUID(timer.key)))


def start_fund(unit: BillingUnit, timer: Timer) -> None:
    """A fund's first day has come: those who wait are served."""
    money_has_come(unit)


def end_fund(unit: BillingUnit, timer: Timer) -> None:
    """A fund's last day is over: it pays no later session, and whom it helped waits for another fund.

    What is reserved for sessions that are still to be reported stays so for the time that policy gives.
    """
    fund = funds.get_fund(unit.session, FundId(UUID(timer.key)))
    for award in awards.held_awards_of(unit.session, fund.id):
        referral = referrals.get_referral(unit.session, award.referral_id)
        reason = SubsidyReleaseReason.FUND_ENDED
        award_lifecycle.close_award(unit, referral, award, fund, reason, pays_until=fund.ends_on)
        wait_again(unit, referral)


def release_award(unit: BillingUnit, timer: Timer) -> None:
    award_lifecycle.release(unit, AwardId(UUID(timer.key)), SubsidyReleaseReason(timer.data["reason"]))


def release_unbegun_award(unit: BillingUnit, timer: Timer) -> None:
    award_lifecycle.release_unbegun(unit, AwardId(UUID(timer.key)))


def ask_attendance(unit: BillingUnit, timer: Timer) -> None:
    attendance.ask(unit, MatchId(UUID(timer.key)))


def serve_waiting_list(unit: BillingUnit, timer: Timer) -> None:
    after = None
    if "asked_at" in timer.data:
        after = datetime.fromisoformat(timer.data["asked_at"]), ReferralId(UUID(timer.data["referral_id"]))
    subsidies.serve_waiting_list(unit, after)
