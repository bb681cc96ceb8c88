"""Everything that billing does, one function per message, timer and command."""

from services.billing.handlers.attendance import ask_attendance, record_never_attended, unrecorded_attendance
from services.billing.handlers.awards import release_award, release_unbegun_award
from services.billing.handlers.funds import confirm_area, end_fund, open_fund, start_fund
from services.billing.handlers.matches import (
    charge_match,
    end_match,
    note_changed_fee,
    note_stall,
    open_account,
    undo_match_end,
)
from services.billing.handlers.memberships import lapse_membership, remind_of_membership, renew_membership
from services.billing.handlers.payments import record_payment, reverse_payment
from services.billing.handlers.privacy import forget
from services.billing.handlers.referrals import close, note_assessment, note_referral, reopen, signpost, withdraw
from services.billing.handlers.reports import list_funds, subsidy_of, therapist_account, trial_balance
from services.billing.handlers.sessions import draw_down, record_attendance, reverse_session
from services.billing.handlers.subsidies import allow_further_award, serve_waiting_list
from services.billing.handlers.therapy import take_therapy_report

__all__ = [
    "allow_further_award",
    "ask_attendance",
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
    "note_changed_fee",
    "note_referral",
    "note_stall",
    "open_account",
    "open_fund",
    "record_attendance",
    "record_never_attended",
    "record_payment",
    "release_award",
    "release_unbegun_award",
    "remind_of_membership",
    "renew_membership",
    "reopen",
    "reverse_payment",
    "reverse_session",
    "serve_waiting_list",
    "signpost",
    "start_fund",
    "subsidy_of",
    "take_therapy_report",
    "therapist_account",
    "trial_balance",
    "undo_match_end",
    "unrecorded_attendance",
    "withdraw",
]
