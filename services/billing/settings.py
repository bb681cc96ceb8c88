"""Billing's policy, from the environment. Every amount and every number of days can be changed without code."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow.validate import Range

from chassis.config import Env
from services.billing.domain.awards import AwardPolicy
from services.billing.domain.membership import MembershipPolicy

MAX_FEE_PENCE = 1_000_00


@dataclass(frozen=True, kw_only=True)
class BillingSettings:
    """What the charity charges and awards."""

    membership: MembershipPolicy
    awards: AwardPolicy
    referral_fee_pence: int
    invoice_days: int
    unhappy_credit_sessions: int
    ask_attendance_days: int


def read(env: Env) -> BillingSettings:
    """Reads and checks every BILLING_ setting."""
    fee, days = Range(min=1, max=MAX_FEE_PENCE), Range(min=1, max=180)
    return BillingSettings(
        membership=MembershipPolicy(
            fee_pence=env.int("BILLING_MEMBERSHIP_FEE_PENCE", 50_00, validate=fee),
            grace_days=env.int("BILLING_MEMBERSHIP_GRACE_DAYS", 30, validate=days),
            reminder_days_before_lapse=env.int("BILLING_MEMBERSHIP_REMINDER_DAYS_BEFORE_LAPSE", 10, validate=days),
        ),
        awards=AwardPolicy(
            highest_session_fee_pence=env.int("BILLING_HIGHEST_SUBSIDISED_FEE_PENCE", 60_00, validate=fee),
            sessions_per_award=env.int("BILLING_SESSIONS_PER_AWARD", 10, validate=Range(min=1, max=100)),
            late_session_days=env.int("BILLING_LATE_SESSION_DAYS", 30, validate=Range(min=0, max=365)),
            begin_within_days=env.int("BILLING_BEGIN_AWARD_WITHIN_DAYS", 90, validate=Range(min=1, max=365)),
        ),
        referral_fee_pence=env.int("BILLING_REFERRAL_FEE_PENCE", 30_00, validate=fee),
        invoice_days=env.int("BILLING_INVOICE_DAYS", 14, validate=days),
        unhappy_credit_sessions=env.int("BILLING_UNHAPPY_CREDIT_SESSIONS", 2, validate=Range(min=0, max=100)),
        ask_attendance_days=env.int("BILLING_ASK_ATTENDANCE_AFTER_DAYS", 30, validate=days),
    )
