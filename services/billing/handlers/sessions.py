"""What a person tells billing of sessions: attended, reversed, or that the client never came."""

from __future__ import annotations

from contracts.commands.billing import (
    AttendanceView,
    DrawDown,
    DrawdownView,
    NeverAttendedView,
    RecordAttendance,
    RecordNeverAttended,
    ReversalView,
    ReverseSession,
)
from services.billing.application import attendance, sessions
from services.billing.application.views import reversal_view
from services.billing.dependencies import BillingUnit
from services.billing.errors import UnknownSession
from services.billing.store import attended_sessions, reversals


def draw_down(unit: BillingUnit, request: DrawDown) -> DrawdownView:
    """Pays the therapist the award's part of one session. Raises a Refused for each rule that it would break."""
    session, award = sessions.draw_down(
        unit, request.award_id, attended_on=request.attended_on, match_id=request.match_id
    )
    return DrawdownView(
        session_id=session.id,
        award_id=award.id,
        drawn_pence=session.drawn_pence,
        sessions_left=award.sessions_left,
        held_pence=award.held_pence,
    )


def record_attendance(unit: BillingUnit, request: RecordAttendance) -> AttendanceView:
    """Records a session that no subsidy pays for. Raises a Refused for each rule that it would break."""
    session = sessions.record_attendance(
        unit, request.referral_id, attended_on=request.attended_on, match_id=request.match_id
    )
    return AttendanceView(
        session_id=session.id,
        match_id=session.match_id,
        sessions_attended=attended_sessions.sessions_attended(unit.session, session.match_id),
    )


def reverse_session(unit: BillingUnit, request: ReverseSession) -> ReversalView:
    """Takes a session back, once. Raises UnknownSession."""
    session = attended_sessions.find_session(unit.session, request.session_id)
    if session is None:
        raise UnknownSession("There is no such session; look it up by what was answered when it was recorded.")
    known = reversals.find_reversal(unit.session, session.id)
    if known:
        return reversal_view(known, changed=False)
    reversal = sessions.take_back(unit, session, reversed_by=unit.actor.who, reason=request.reason)
    return reversal_view(reversal, changed=True)


def record_never_attended(unit: BillingUnit, request: RecordNeverAttended) -> NeverAttendedView:
    """The fee is given back, once. Raises UnknownMatch, SessionsOnRecord."""
    match, changed = attendance.record_never_attended(unit, request.match_id, recorded_by=unit.actor.who)
    return NeverAttendedView(
        match_id=match.id,
        recorded_at=match.never_attended_at or unit.now,
        recorded_by=match.never_attended_by or unit.actor.who,
        changed=changed,
    )
