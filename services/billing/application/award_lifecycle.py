"""What becomes of an award after it was made: lowered to the therapist's fee, closed, resumed, released to its fund."""

from __future__ import annotations

from datetime import date, timedelta

from contracts.events.billing import SubsidyAssigned, SubsidyReleased, SubsidyResumed
from contracts.events.matching import MatchingStalled
from contracts.vocabulary import AwardId, MatchId, SessionId, SubsidyReleaseReason
from services.billing.application import referral_fees
from services.billing.application.books import post
from services.billing.application.waiting_list import leave_waiting_list, money_has_come, wait_again
from services.billing.dependencies import BillingUnit
from services.billing.domain import ledger
from services.billing.domain.awards import Award, AwardState, need_per_session
from services.billing.domain.days import day_of, end_of
from services.billing.domain.funds import Fund
from services.billing.domain.matches import Match
from services.billing.domain.referrals import Referral
from services.billing.store import awards, funds, matches, referrals

RELEASE_AWARD, AWARD_NOT_BEGUN = "release_award", "award_not_begun"


def schedule_release_if_unbegun(unit: BillingUnit, award: Award) -> None:
    """Schedules the release of an award for which no session is paid within the time that policy gives."""
    unit.set_timer(AWARD_NOT_BEGUN, award.id, end_of(_begin_by(unit, award)))


def emit_assignment(unit: BillingUnit, award: Award, fund: Fund, match: Match) -> None:
    """Emits to this therapist that the award pays a part of each session."""
    unit.emit(
        SubsidyAssigned(
            award_id=award.id,
            referral_id=award.referral_id,
            match_id=match.id,
            therapist_id=match.therapist_id,
            pence_per_session=award.pence_per_session,
            sessions=award.sessions_left,
            ends_on=fund.ends_on,
            begin_by=None if award.sessions_used else _begin_by(unit, award),
        )
    )


def fit_to_fee(unit: BillingUnit, referral: Referral, match: Match) -> None:
    """Releases what the therapist's fee doesn't need of the award, and emits to them what is left."""
    award = awards.find_held_award(unit.session, referral.id)
    if award is None:
        return
    fund = funds.get_fund(unit.session, award.fund_id)
    need = need_per_session(session_fee_pence=match.session_fee_pence, fee_ceiling_pence=referral.fee_ceiling_pence)
    released = award.lower_to(fund=fund, pence_per_session=need)
    record_release(unit, award, released, SubsidyReleaseReason.FEE_LOWER_THAN_AWARDED, cause_id=match.id)
    if award.state is AwardState.HELD:
        emit_assignment(unit, award, fund, match)


def close_award_of(unit: BillingUnit, referral: Referral, reason: SubsidyReleaseReason, *, pays_until: date) -> None:
    """No session after that day is paid. The money stays reserved while earlier ones may still be reported."""
    if award := awards.find_held_award(unit.session, referral.id):
        close_award(unit, referral, award, funds.get_fund(unit.session, award.fund_id), reason, pays_until=pays_until)


def close_award(
    unit: BillingUnit,
    referral: Referral,
    award: Award,
    fund: Fund,
    reason: SubsidyReleaseReason,
    *,
    pays_until: date,
) -> None:
    if not _may_have_met(unit, referral):
        _end(unit, award, fund, reason, pays_until=pays_until)
        return
    award.close(pays_until=pays_until)
    last_report = pays_until + timedelta(days=unit.dependencies.awards.late_session_days)
    unit.set_timer(RELEASE_AWARD, award.id, end_of(last_report), {"reason": reason.value})


def resume(unit: BillingUnit, referral: Referral) -> None:
    """The end of a referral or a match is undone: an award whose money is still reserved is held again.

    If the money has gone back to the fund meanwhile, the client is put on the waiting list where they stood before.
    """
    if not referral.asks_for_subsidy or awards.find_held_award(unit.session, referral.id):
        return
    for award in reversed(awards.closing_awards_of(unit.session, referral.id)):
        if funds.get_fund(unit.session, award.fund_id).is_open(on=day_of(unit.now)):
            award.resume()
            unit.cancel_timer(RELEASE_AWARD, award.id)
            leave_waiting_list(unit, referral.id)
            if not award.sessions_used:
                schedule_release_if_unbegun(unit, award)
            unit.emit(
                SubsidyResumed(
                    award_id=award.id,
                    referral_id=award.referral_id,
                    pence_per_session=award.pence_per_session,
                    sessions=award.sessions_left,
                )
            )
            return
    wait_again(unit, referral)


def release(unit: BillingUnit, award_id: AwardId, reason: SubsidyReleaseReason) -> None:
    """What was reserved for sessions that nobody has reported goes back to the fund."""
    award = awards.find_award(unit.session, award_id)
    if award and award.state is AwardState.CLOSING:
        fund = funds.get_fund(unit.session, award.fund_id)
        _end(unit, award, fund, reason)


def release_unbegun(unit: BillingUnit, award_id: AwardId) -> None:
    """Money that nobody has used goes back to the fund; the client joins the end of the waiting list."""
    award = awards.find_award(unit.session, award_id)
    if award is None or award.state is not AwardState.HELD or award.sessions_used:
        return
    fund = funds.get_fund(unit.session, award.fund_id)
    _end(unit, award, fund, SubsidyReleaseReason.NEVER_BEGUN, pays_until=day_of(unit.now))
    wait_again(unit, referrals.get_referral(unit.session, award.referral_id), asked_at=unit.now)


def release_if_nobody_met(unit: BillingUnit, referral: Referral) -> None:
    """Now that no session is known to have taken place, nothing is reserved for one any more."""
    if _may_have_met(unit, referral):
        return
    for award in awards.closing_awards_of(unit.session, referral.id):
        _end(unit, award, funds.get_fund(unit.session, award.fund_id), SubsidyReleaseReason.MATCH_ENDED)


def release_for_nobody_affordable(unit: BillingUnit, referral: Referral, event: MatchingStalled) -> None:
    """Releases an award with which the client can pay no therapist within reach, and records what was not enough."""
    award = awards.find_held_award(unit.session, referral.id)
    if award is None or matches.find_current_match(unit.session, referral.id):
        return
    together = (referral.fee_ceiling_pence or 0) + award.pence_per_session
    if not _was_tried_with(award, together, event):
        return
    referral.least_fee_pence = together + 1
    fund = funds.get_fund(unit.session, award.fund_id)
    reason = SubsidyReleaseReason.NO_THERAPIST_FITS
    close_award(unit, referral, award, fund, reason, pays_until=day_of(unit.now))
    wait_again(unit, referral)


def reconsider_need(unit: BillingUnit, referral: Referral) -> None:
    """Puts a client without an award on the waiting list whom the next therapist may cost more than they can pay."""
    highest = unit.dependencies.awards.highest_session_fee_pence
    if need_per_session(session_fee_pence=highest, fee_ceiling_pence=referral.fee_ceiling_pence):
        wait_again(unit, referral)


def retry_with_fee(unit: BillingUnit, *, session_fee_pence: int) -> None:
    """A therapist's fee may fit referrals that no therapist's fitted before: tries those again."""
    in_vain = referrals.referrals_that_fit_nobody(unit.session, above_pence=session_fee_pence)
    for referral in in_vain:
        referral.least_fee_pence = session_fee_pence
    if in_vain:
        money_has_come(unit)


def may_pay_again(unit: BillingUnit, award: Award, fund: Fund) -> bool:
    """Whether an award that was used up has sessions to come once one of them is taken back."""
    referral = referrals.get_referral(unit.session, award.referral_id)
    other = awards.find_held_award(unit.session, award.referral_id)
    open_ = fund.is_open(on=day_of(unit.now)) and award.pays_until is None
    return open_ and referral.ending is None and other in (None, award)


def record_release(
    unit: BillingUnit,
    award: Award,
    pence: int,
    reason: SubsidyReleaseReason,
    *,
    cause_id: AwardId | MatchId | SessionId,
) -> None:
    """Posts and emits what went back to the fund, if anything did, and has the waiting list served."""
    if not pence:
        return
    post(unit, ledger.subsidy_released(cause_id=cause_id, fund_id=award.fund_id, pence=pence))
    unit.emit(
        SubsidyReleased(
            award_id=award.id,
            referral_id=award.referral_id,
            fund_id=award.fund_id,
            released_pence=pence,
            reason=reason,
            pence_per_session=award.pence_per_session if award.state is AwardState.HELD else 0,
        )
    )
    money_has_come(unit)


def _end(
    unit: BillingUnit, award: Award, fund: Fund, reason: SubsidyReleaseReason, *, pays_until: date | None = None
) -> None:
    record_release(unit, award, award.end(fund=fund, pays_until=pays_until), reason, cause_id=award.id)


def _begin_by(unit: BillingUnit, award: Award) -> date:
    return day_of(award.approved_at) + timedelta(days=unit.dependencies.awards.begin_within_days)


def _may_have_met(unit: BillingUnit, referral: Referral) -> bool:
    """Whether a session may have taken place that nobody has reported yet."""
    of_referral = matches.matches_of(unit.session, referral.id)
    return any(not referral_fees.is_said_not_attended(referral, match) for match in of_referral)


def _was_tried_with(award: Award, together: int, event: MatchingStalled) -> bool:
    """Whether matching's search counted this award's money; it may have failed before matching heard of the award."""
    if event.highest_fee_pence is not None:
        return event.highest_fee_pence == together
    return event.waiting_since >= award.approved_at
