"""Whether client and therapist have met. Where nobody says, the office is asked; silence is no answer."""

from __future__ import annotations

from datetime import timedelta

from contracts.events.billing import AttendanceUnrecorded
from contracts.vocabulary import MatchEndReason, MatchId
from services.billing.application import award_lifecycle, referral_fees
from services.billing.dependencies import BillingUnit
from services.billing.domain.days import day_of
from services.billing.domain.fees import Ending
from services.billing.domain.matches import Match
from services.billing.errors import SessionsOnRecord, UnknownMatch
from services.billing.store import attended_sessions, invoices, matches, referrals

ASK_ATTENDANCE = "ask_attendance"


CONCLUSIVE_ENDS = (MatchEndReason.COMPLETED, MatchEndReason.NOT_ATTENDED)
"""Ends of a match that say themselves whether the client came."""


def schedule_question(unit: BillingUnit, match: Match) -> None:
    """Schedules the question for some time after the match. It isn't asked if the answer is known by then."""
    due = match.matched_at + timedelta(days=unit.dependencies.ask_attendance_days)
    unit.set_timer(ASK_ATTENDANCE, match.id, max(due, unit.now))


def ask_after_end(unit: BillingUnit, match: Match) -> None:
    """Client and therapist have parted: the question is asked at once, unless how they parted answers it."""
    if match.end_reason not in CONCLUSIVE_ENDS:
        unit.set_timer(ASK_ATTENDANCE, match.id, unit.now)


def ask(unit: BillingUnit, match_id: MatchId) -> None:
    """Emits, once, that nobody has said whether client and therapist have met."""
    match = matches.get_match(unit.session, match_id)
    if match.attendance_asked_at or not _is_unknown(unit, match):
        return
    match.attendance_asked_at = unit.now
    unit.emit(
        AttendanceUnrecorded(
            referral_id=match.referral_id,
            match_id=match.id,
            therapist_id=match.therapist_id,
            matched_on=day_of(match.matched_at),
        )
    )


def record_never_attended(unit: BillingUnit, match_id: MatchId, *, recorded_by: str) -> tuple[Match, bool]:
    """Somebody knows that the client never attended: the fee is given back. The match, and whether that was news.

    Raises UnknownMatch, SessionsOnRecord.
    """
    match = matches.lock_match(unit.session, match_id)
    if match is None:
        raise UnknownMatch("Billing has not heard of this match; check the identifier, or try again shortly.")
    if attended_sessions.sessions_attended(unit.session, match.id):
        raise SessionsOnRecord("Sessions with this therapist are on record; take them back first if they are wrong.")
    changed = match.never_attended_at is None
    if changed:
        match.never_attended_at, match.never_attended_by = unit.now, recorded_by
        referral = referrals.get_referral(unit.session, match.referral_id)
        award_lifecycle.release_if_nobody_met(unit, referral)
        referral_fees.settle_referral_fee(unit, referral, match)
    return match, changed


def _is_unknown(unit: BillingUnit, match: Match) -> bool:
    if match.never_attended_at or match.end_reason in CONCLUSIVE_ENDS:
        return False
    referral = referrals.get_referral(unit.session, match.referral_id)
    invoice = invoices.find_fee_invoice(unit.session, match.id)
    is_open = invoice is not None and not invoice.is_credited and referral.ending is not Ending.CLOSED
    return is_open and not attended_sessions.sessions_attended(unit.session, match.id)
