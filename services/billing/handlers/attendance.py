"""Whether client and therapist have met: asked of a person where nobody says so, and never taken from silence."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from chassis.ports import Timer
from contracts.commands.billing import (
    ListUnrecordedAttendance,
    NeverAttendedView,
    RecordNeverAttended,
    UnrecordedAttendance,
)
from contracts.events.billing import AttendanceUnrecorded
from contracts.vocabulary import MatchEndReason, MatchId
from services.billing import store
from services.billing.domain.days import day_of
from services.billing.domain.fees import Ending
from services.billing.handlers import awards, referral_fees
from services.billing.handlers.books import BillingUnit
from services.billing.handlers.refusals import SessionsOnRecord, UnknownMatch
from services.billing.tables import Match

ASK_ATTENDANCE = "ask_attendance"
TELLING_ENDS = (MatchEndReason.COMPLETED, MatchEndReason.NOT_ATTENDED)
"""How a match ends that says itself whether anybody came."""


def watch_attendance(unit: BillingUnit, match: Match) -> None:
    """Has a person asked some time after the match, unless it is known by then."""
    due = match.matched_at + timedelta(days=unit.dependencies.ask_attendance_days)
    unit.set_timer(ASK_ATTENDANCE, match.id, max(due, unit.now))


def watch_ended(unit: BillingUnit, match: Match) -> None:
    """Client and therapist have parted: what isn't known by now is asked at once."""
    if match.end_reason not in TELLING_ENDS:
        unit.set_timer(ASK_ATTENDANCE, match.id, unit.now)


def ask_attendance(unit: BillingUnit, timer: Timer) -> None:
    """Says once that nobody knows whether client and therapist have met."""
    match = store.get_match(unit.session, MatchId(UUID(timer.key)))
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


def record_never_attended(unit: BillingUnit, request: RecordNeverAttended) -> NeverAttendedView:
    """Somebody knows that the client never attended: the fee is given back. Raises UnknownMatch, SessionsOnRecord."""
    match = store.lock_match(unit.session, request.match_id)
    if match is None:
        raise UnknownMatch("Billing has not heard of this match; check the identifier, or try again shortly.")
    if store.sessions_attended(unit.session, match.id):
        raise SessionsOnRecord("Sessions with this therapist are on record; take them back first if they are wrong.")
    changed = match.never_attended_at is None
    if changed:
        match.never_attended_at, match.never_attended_by = unit.now, request.recorded_by
        referral = store.get_referral(unit.session, match.referral_id)
        awards.release_if_nobody_met(unit, referral)
        referral_fees.settle_referral_fee(unit, referral, match)
    return NeverAttendedView(
        match_id=match.id,
        recorded_at=match.never_attended_at or unit.now,
        recorded_by=match.never_attended_by or request.recorded_by,
        changed=changed,
    )


def unrecorded_attendance(unit: BillingUnit, request: ListUnrecordedAttendance) -> list[UnrecordedAttendance]:
    """The queue of those whom somebody should ask, the oldest match first."""
    before = unit.now - timedelta(days=unit.dependencies.ask_attendance_days)
    found = store.unrecorded_matches(unit.session, matched_before=before, limit=request.limit)
    return [
        UnrecordedAttendance(
            match_id=match.id,
            referral_id=match.referral_id,
            therapist_id=match.therapist_id,
            matched_on=day_of(match.matched_at),
            contact_made_on=match.contact_made_on,
            ended_on=day_of(match.ended_at) if match.has_ended and match.ended_at else None,
            end_reason=match.end_reason,
        )
        for match in found
    ]


def _is_unknown(unit: BillingUnit, match: Match) -> bool:
    if match.never_attended_at or match.end_reason in TELLING_ENDS:
        return False
    referral = store.get_referral(unit.session, match.referral_id)
    invoice = store.find_fee_invoice(unit.session, match.id)
    is_open = invoice is not None and not invoice.is_credited and referral.ending is not Ending.CLOSED
    return is_open and not store.sessions_attended(unit.session, match.id)
