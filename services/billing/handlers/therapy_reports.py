"""What a therapist reports by the page of the introduction, recorded as if the office had entered it."""

from __future__ import annotations

from chassis.ports import Invalid, NotYet, Refused
from contracts.events.notifications import TherapyReportAccepted
from contracts.vocabulary import TherapyReport
from services.billing.application import attendance, sessions
from services.billing.dependencies import BillingUnit
from services.billing.domain.matches import Match
from services.billing.store import attended_sessions, awards, matches

THE_THERAPIST = "the therapist"
"""Who said so, where a person of the charity would be named."""


def take_therapy_report(unit: BillingUnit, event: TherapyReportAccepted) -> None:
    """Records contact made, the first session, or that the client never came. That it has ended matching records.

    Raises NotYet for a match that has not arrived, and Invalid where the command would be refused, so that a person
    looks at it among the dead letters.
    """
    match = matches.find_match(unit.session, event.match_id)
    if match is None:
        raise NotYet(f"match {event.match_id} has not been heard of here")
    try:
        _take(unit, match, event)
    except Refused as refusal:
        raise Invalid(f"what the therapist reports can't be recorded: {refusal.name}") from None


def _take(unit: BillingUnit, match: Match, event: TherapyReportAccepted) -> None:
    """Raises Refused."""
    if event.what is TherapyReport.CONTACT_MADE:
        match.contact_made_on = match.contact_made_on or event.on
    elif event.what is TherapyReport.FIRST_SESSION:
        _record_first_session(unit, match, event)
    elif event.what is TherapyReport.NOT_ATTENDED:
        attendance.record_never_attended(unit, match.id, recorded_by=THE_THERAPIST)


def _record_first_session(unit: BillingUnit, match: Match, event: TherapyReportAccepted) -> None:
    """An award that covers the day pays for it. If a session is on record there is nothing to add."""
    if event.on is None:
        raise Invalid("a session has a day")
    # The award before the match, as a session that staff report locks them, so that neither waits for the other.
    award = awards.paying_award_of(unit.session, match.referral_id, event.on)
    locked = matches.lock_match(unit.session, match.id)
    assert locked is not None
    if not locked.advance_report(at=event.reported_at) or attended_sessions.sessions_attended(unit.session, match.id):
        return
    if award:
        sessions.draw_down(unit, award.id, attended_on=event.on, match_id=match.id)
    else:
        sessions.record_attendance(unit, match.referral_id, attended_on=event.on, match_id=match.id)
