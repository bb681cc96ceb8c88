"""Everything that billing does, one function per message, timer and command."""

from services.billing.handlers.funds import confirm_area, end_fund, open_fund, start_fund
from services.billing.handlers.matches import charge_match, end_match, open_account
from services.billing.handlers.memberships import lapse_membership, remind_of_membership, renew_membership
from services.billing.handlers.payments import record_payment
from services.billing.handlers.privacy import forget
from services.billing.handlers.referrals import close, note_assessment, note_referral, reopen, signpost, withdraw
from services.billing.handlers.reports import list_funds, subsidy_of, therapist_account, trial_balance
from services.billing.handlers.sessions import draw_down, record_attendance
from services.billing.handlers.subsidies import serve_waiting_list

__all__ = [
    "charge_match",
    "close",
    "confirm_area",
    "draw_down",
    "end_fund",
    "end_match",
    "forget",
    "lapse_membership",
    "list_funds",
    "note_assessment",
    "note_referral",
    "open_account",
    "open_fund",
    "record_attendance",
    "record_payment",
    "remind_of_membership",
    "renew_membership",
    "reopen",
    "serve_waiting_list",
    "signpost",
    "start_fund",
    "subsidy_of",
    "therapist_account",
    "trial_balance",
    "withdraw",
]
