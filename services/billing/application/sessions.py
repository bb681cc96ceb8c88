"""Sessions attended. A subsidised one draws down its award; any makes the referral fee due; each can be reversed.

What counts is the day of the session, in London, not when it is reported.
"""

from __future__ import annotations

from datetime import date

from chassis.audit.chain import AuditAction
from contracts.events.billing import FirstSessionAttended, SessionReversed
from contracts.vocabulary import AwardId, MatchId, ReferralId, SessionId, SessionReversalReason, SubsidyReleaseReason
from services.billing.application import award_lifecycle, referral_fees
from services.billing.application.books import post
from services.billing.application.waiting_list import wait_again
from services.billing.dependencies import BillingUnit
from services.billing.domain import ledger
from services.billing.domain.awards import Award, AwardState
from services.billing.domain.days import day_of
from services.billing.domain.funds import Fund
from services.billing.domain.matches import AttendedSession, Match
from services.billing.errors import (
    NotMatched,
    SessionBeforeMatch,
    SessionInTheFuture,
    SessionIsSubsidised,
    SessionRecordedAlready,
    UnknownAward,
    UnknownReferral,
)
from services.billing.store import attended_sessions, awards, funds, matches, referrals, reversals, rows
from services.billing.store.reversals import Reversal


def draw_down(
    unit: BillingUnit, award_id: AwardId, *, attended_on: date, match_id: MatchId | None
) -> tuple[AttendedSession, Award]:
    """Pays the therapist the award's part of one session. Raises a Refused for each rule that it would break."""
    award = awards.find_award(unit.session, award_id)
    if award is None:
        raise UnknownAward("There is no such award; look it up by its referral.")
    fund = funds.get_fund(unit.session, award.fund_id)
    match = _match_for_session(unit, award.referral_id, attended_on, match_id)
    was_held = award.state is AwardState.HELD
    session = _pay(unit, award, fund, match, attended_on)
    if was_held and award.state is AwardState.USED:
        wait_again(unit, referrals.get_referral(unit.session, award.referral_id), asked_at=unit.now)
    return session, award


def record_attendance(
    unit: BillingUnit, referral_id: ReferralId, *, attended_on: date, match_id: MatchId | None
) -> AttendedSession:
    """Records a session that no subsidy pays for. Raises a Refused for each rule that it would break."""
    if referrals.find_referral(unit.session, referral_id) is None:
        raise UnknownReferral("Billing has not heard of this referral; check the identifier, or try again shortly.")
    if awards.paying_award_of(unit.session, referral_id, attended_on):
        raise SessionIsSubsidised("This referral has an award: draw down a session of it instead.")
    match = _match_for_session(unit, referral_id, attended_on, match_id)
    session = AttendedSession(id=SessionId(unit.new_id()), match_id=match.id, attended_on=attended_on, drawn_pence=0)
    _note_session(unit, match, session)
    return session


def take_back(
    unit: BillingUnit, session: AttendedSession, *, reversed_by: str, reason: SessionReversalReason
) -> Reversal:
    """Reverses a session, and what a fund paid for it by a journal of its own."""
    match = matches.get_match(unit.session, session.match_id)
    reversal = Reversal(unit.now, reversed_by, reason.value)
    session.reversed_at = reversal.at
    reversals.add_reversal(unit.session, session.id, reversal)
    unit.record_audit(AuditAction.REVERSED, who=reversal.by, subject_id=match.referral_id, reason=reversal.reason)
    unit.emit(
        SessionReversed(
            session_id=session.id,
            referral_id=match.referral_id,
            match_id=match.id,
            therapist_id=match.therapist_id,
            attended_on=session.attended_on,
            sessions=attended_sessions.sessions_attended(unit.session, match.id),
            drawn_pence=session.drawn_pence,
            reason=reason,
        )
    )
    _give_back(unit, session, match)
    if locked := matches.lock_match(unit.session, match.id):  # after the award, as everywhere
        locked.advance_report(at=unit.now)  # what the therapist said before this is old news, whenever it arrives
    _settle_fee(unit, match)
    return reversal


def _pay(unit: BillingUnit, award: Award, fund: Fund, match: Match, on: date) -> AttendedSession:
    drawn = award.draw_down(
        fund=fund, on=on, reported_on=day_of(unit.now), late_days=unit.dependencies.awards.late_session_days
    )
    session = AttendedSession(
        id=SessionId(unit.new_id()), match_id=match.id, attended_on=on, award_id=award.id, drawn_pence=drawn.pence
    )
    if drawn.committed_pence:
        post(unit, ledger.subsidy_committed(cause_id=session.id, fund_id=fund.id, pence=drawn.committed_pence))
    _note_session(unit, match, session)
    post(
        unit,
        ledger.subsidy_drawn_down(
            session_id=session.id, fund_id=fund.id, therapist_id=match.therapist_id, pence=drawn.pence
        ),
    )
    return session


def _give_back(unit: BillingUnit, session: AttendedSession, match: Match) -> None:
    """What a fund had paid is reserved for another session of the award, or goes back to the fund."""
    award = awards.find_award(unit.session, session.award_id) if session.award_id else None
    if award is None:
        return
    fund, pence = funds.get_fund(unit.session, award.fund_id), session.drawn_pence
    post(
        unit,
        ledger.subsidy_drawdown_reversed(
            session_id=session.id, fund_id=fund.id, therapist_id=match.therapist_id, pence=pence
        ),
    )
    goes_on = award_lifecycle.may_pay_again(unit, award, fund)
    released = award.undo_draw_down(fund=fund, pence=pence, goes_on=goes_on)
    reason = SubsidyReleaseReason.SESSION_TAKEN_BACK
    award_lifecycle.record_release(unit, award, released, reason, cause_id=session.id)


def _note_session(unit: BillingUnit, match: Match, session: AttendedSession) -> None:
    first = not attended_sessions.sessions_attended(unit.session, match.id)
    if first:
        unit.emit(
            FirstSessionAttended(
                referral_id=match.referral_id,
                match_id=match.id,
                therapist_id=match.therapist_id,
                attended_on=session.attended_on,
            )
        )
    rows.add(unit.session, session)
    _settle_fee(unit, match)


def _settle_fee(unit: BillingUnit, match: Match) -> None:
    """A session that is reported late, or reversed, may change whether the fee is due."""
    referral = referrals.get_referral(unit.session, match.referral_id)
    if match.end_reason or match.never_attended_at or referral.ending:
        referral_fees.settle_referral_fee(unit, referral, match)


def _match_for_session(unit: BillingUnit, referral_id: ReferralId, on: date, match_id: MatchId | None) -> Match:
    if on > day_of(unit.now):
        raise SessionInTheFuture(f"{on} is still to come: record a session once it has taken place.")
    match = matches.find_match_on(unit.session, referral_id, on, match_id)
    if match is None:
        raise _no_match(unit, referral_id, on)
    if attended_sessions.has_session(unit.session, match.id, on):
        raise SessionRecordedAlready(f"The session of {on} is on record already.")
    return match


def _no_match(unit: BillingUnit, referral_id: ReferralId, on: date) -> NotMatched | SessionBeforeMatch:
    of_referral = matches.matches_of(unit.session, referral_id)
    first = min((day_of(match.matched_at) for match in of_referral), default=None)
    if first and on < first:
        return SessionBeforeMatch(f"The therapist accepted on {first}, after {on}; check the day.")
    return NotMatched(f"This referral had no therapist on {on}, so no session can have been attended; check the day.")
