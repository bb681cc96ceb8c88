"""Sessions attended: subsidised ones draw an award down, and any of them lets the referral fee stand."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from contracts.commands.billing import AttendanceView, DrawDown, DrawdownView, RecordAttendance
from contracts.events.billing import FirstSessionAttended
from contracts.vocabulary import AwardId, ReferralId
from services.billing import store
from services.billing.domain import ledger
from services.billing.domain.days import day_of
from services.billing.handlers.books import BillingUnit, post
from services.billing.handlers.refusals import (
    FeeCreditedAlready,
    NotMatched,
    SessionBeforeMatch,
    SessionInTheFuture,
    SessionIsSubsidised,
    SessionRecordedAlready,
    UnknownAward,
    UnknownReferral,
    refusing,
)
from services.billing.tables import Match


def draw_down(unit: BillingUnit, request: DrawDown) -> DrawdownView:
    """Pays the therapist the award's part of one session. Raises a Refused for each rule that it would break."""
    award = store.find_award(unit.session, request.award_id)
    if award is None:
        raise UnknownAward("There is no such award; look it up by its referral.")
    fund = store.get_fund(unit.session, award.fund_id)
    match = _match_for_session(unit, award.referral_id, request.attended_on)
    with refusing():
        pence = award.draw_down(fund=fund, on=request.attended_on)
    session_id = _note_session(unit, match, request.attended_on, award_id=award.id, drawn_pence=pence)
    therapist_id = match.therapist_id
    post(
        unit,
        ledger.subsidy_drawn_down(session_id=session_id, fund_id=fund.id, therapist_id=therapist_id, pence=pence),
    )
    return DrawdownView(
        session_id=session_id,
        award_id=award.id,
        drawn_pence=pence,
        sessions_left=award.sessions_left,
        held_pence=award.held_pence,
    )


def record_attendance(unit: BillingUnit, request: RecordAttendance) -> AttendanceView:
    """Notes a session that no subsidy pays for. Raises a Refused for each rule that it would break."""
    if store.find_referral(unit.session, request.referral_id) is None:
        raise UnknownReferral("Billing has not heard of this referral; check the identifier, or try again shortly.")
    if store.find_held_award(unit.session, request.referral_id):
        raise SessionIsSubsidised("This referral has an award: draw down a session of it instead.")
    match = _match_for_session(unit, request.referral_id, request.attended_on)
    session_id = _note_session(unit, match, request.attended_on, award_id=None, drawn_pence=0)
    return AttendanceView(
        session_id=session_id,
        match_id=match.id,
        sessions_attended=store.sessions_attended(unit.session, match.id),
    )


def _note_session(unit: BillingUnit, match: Match, on: date, *, award_id: AwardId | None, drawn_pence: int) -> UUID:
    id_ = unit.new_id()
    if not store.sessions_attended(unit.session, match.id):
        unit.emit(
            FirstSessionAttended(
                referral_id=match.referral_id, match_id=match.id, therapist_id=match.therapist_id, attended_on=on
            )
        )
    store.add_session(unit.session, id_, match_id=match.id, on=on, award_id=award_id, drawn_pence=drawn_pence)
    return id_


def _match_for_session(unit: BillingUnit, referral_id: ReferralId, on: date) -> Match:
    match = store.find_current_match(unit.session, referral_id)
    if match is None:
        raise NotMatched("This referral has no therapist now, so no session can have been attended.")
    if on > day_of(unit.now):
        raise SessionInTheFuture(f"{on} is still to come: record a session once it has taken place.")
    if on < day_of(match.matched_at):
        raise SessionBeforeMatch(f"The therapist accepted on {day_of(match.matched_at)}, after {on}; check the day.")
    if store.has_session(unit.session, match.id, on):
        raise SessionRecordedAlready(f"The session of {on} is on record already.")
    invoice = store.find_fee_invoice(unit.session, match.id)
    if invoice and invoice.is_credited:
        raise FeeCreditedAlready("The referral fee was credited because no session was known; speak to the treasurer.")
    return match
