"""Money counts by the day of the session: what is reported late, after the match or after the fund, and taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.ports import Refused
from chassis.testing import somebody
from contracts.commands.billing import (
    AttendanceView,
    DrawDown,
    DrawdownView,
    RecordAttendance,
    ReversalView,
    ReverseSession,
)
from contracts.events.billing import ReferralFeeCredited, ReferralFeeCreditReversed, SessionReversed, SubsidyReleased
from contracts.events.matching import MatchEnded, TherapistMatched
from contracts.vocabulary import AwardId, FundId, MatchEndReason, MatchId, SessionId, SessionReversalReason
from services.billing.handlers import sessions
from tests.unit.billing.making import NOW, TODAY, Bench, assessed, ended, matched, referral


def subsidised(bench: Bench, **fund: Any) -> tuple[TherapistMatched, AwardId, FundId]:
    """Ten sessions at £40 with a therapist, from a fund of £5,500."""
    opened = bench.open_fund(**fund)
    asked = referral()
    match = matched(asked.referral_id)
    bench.told(asked, assessed(asked.referral_id), match)
    award = bench.subsidy(asked.referral_id).award
    assert award is not None
    return match, award.award_id, opened.fund_id


def ended_at(match: TherapistMatched, reason: MatchEndReason, at: datetime) -> MatchEnded:
    return MatchEnded(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        reason=reason,
        ended_at=at,
    )


def refusal_of(bench: Bench, award_id: AwardId, days: int) -> str:
    with pytest.raises(Refused) as refused:
        bench.draw_down(award_id, TODAY + timedelta(days=days))
    return type(refused.value).__name__


def take_back(bench: Bench, session_id: SessionId) -> ReversalView:
    reason = SessionReversalReason.DID_NOT_TAKE_PLACE
    request = ReverseSession(session_id=session_id, reason=reason)
    view: ReversalView = bench.ask(sessions.reverse_session, request)
    return view


def attend(bench: Bench, match: TherapistMatched, match_id: MatchId | None = None) -> AttendanceView:
    request = RecordAttendance(referral_id=match.referral_id, attended_on=bench.today, match_id=match_id)
    view: AttendanceView = bench.ask(sessions.record_attendance, request)
    return view


@pytest.mark.parametrize("reason", [MatchEndReason.COMPLETED, MatchEndReason.WITHDRAWN, MatchEndReason.CLIENT_UNHAPPY])
def test_a_session_within_the_match_is_paid_though_it_is_reported_after_its_end(
    bench: Bench, reason: MatchEndReason
) -> None:
    match, award_id, _ = subsidised(bench)
    bench.pass_days(10)
    bench.told(ended_at(match, reason, bench.clock.now()))
    bench.pass_days(20)
    assert bench.draw_down(award_id, TODAY + timedelta(days=7)).drawn_pence == 40_00
    assert bench.draw_down(award_id, TODAY + timedelta(days=10)).drawn_pence == 40_00
    assert refusal_of(bench, award_id, 11) in ("NotMatched", "AwardOver")
    assert bench.books().is_balanced


def test_a_session_is_paid_though_what_was_reserved_for_it_has_gone_back(bench: Bench) -> None:
    match, award_id, fund_id = subsidised(bench)
    bench.told(ended_at(match, MatchEndReason.COMPLETED, NOW + timedelta(days=10)))
    bench.pass_days(60)
    assert bench.fund(fund_id).committed_pence == 0
    bench.draw_down(award_id, TODAY + timedelta(days=7))
    fund = bench.fund(fund_id)
    assert (fund.available_pence, fund.committed_pence, fund.drawn_pence) == (5_460_00, 0, 40_00)
    assert bench.books().is_balanced


def test_a_fund_that_has_spent_what_went_back_to_it_pays_no_session_reported_after_that(bench: Bench) -> None:
    match, award_id, _ = subsidised(bench, pence=400_00)
    bench.told(ended_at(match, MatchEndReason.COMPLETED, NOW + timedelta(days=10)))
    other = referral()
    bench.told(other, assessed(other.referral_id))
    bench.pass_days(60)
    assert bench.subsidy(other.referral_id).award is not None
    assert refusal_of(bench, award_id, 7) == "NoMoney"


def test_a_session_within_the_funds_dates_is_paid_until_thirty_days_after_its_end(bench: Bench) -> None:
    _, award_id, fund_id = subsidised(bench, ends_on=TODAY + timedelta(days=3))
    bench.pass_days(33)
    assert bench.fund(fund_id).committed_pence == 400_00
    assert bench.draw_down(award_id, TODAY + timedelta(days=3)).drawn_pence == 40_00
    assert refusal_of(bench, award_id, 4) == "AwardOver"
    bench.pass_days(1)
    assert bench.fund(fund_id).committed_pence == 0
    assert refusal_of(bench, award_id, 2) == "ReportedTooLate"
    assert bench.books().is_balanced


def test_a_session_on_the_last_evening_in_london_is_of_that_day(bench: Bench) -> None:
    """A match that ended at 23:30 UTC on 30 June ended on 1 July, which is still covered."""
    match, award_id, _ = subsidised(bench)
    summer = datetime(2027, 6, 30, 23, 30, tzinfo=NOW.tzinfo)  # 1 July, 00:30 in London
    bench.draw_down(award_id)
    bench.clock.advance(summer - bench.clock.now())
    bench.told(ended_at(match, MatchEndReason.COMPLETED, summer))
    view: DrawdownView = bench.ask(
        sessions.draw_down, DrawDown(award_id=award_id, attended_on=(summer + timedelta(hours=1)).date())
    )
    assert view.drawn_pence == 40_00


def test_a_session_of_before_the_award_is_recorded_without_it(bench: Bench) -> None:
    asked = referral()
    match = matched(asked.referral_id)
    bench.told(asked, assessed(asked.referral_id), match)
    bench.pass_days(5)
    bench.open_fund()
    award = bench.subsidy(asked.referral_id).award
    assert award is not None
    assert refusal_of(bench, award.award_id, 4) == "SessionBeforeAward"
    request = RecordAttendance(referral_id=asked.referral_id, attended_on=TODAY + timedelta(days=4))
    assert bench.ask(sessions.record_attendance, request).match_id == match.match_id


def test_where_two_therapists_saw_the_client_on_one_day_it_is_said_whose_session_it_was(bench: Bench) -> None:
    asked = referral(subsidy_requested=False)
    first, second = matched(asked.referral_id), matched(asked.referral_id, matched_at=NOW + timedelta(hours=1))
    bench.told(asked, first, ended(first, MatchEndReason.CLIENT_UNHAPPY), second)
    assert attend(bench, first).match_id == second.match_id
    assert attend(bench, first, first.match_id).match_id == first.match_id


def test_a_session_known_after_the_fee_was_credited_makes_the_fee_owed_again(bench: Bench) -> None:
    asked = referral(subsidy_requested=False)
    match = matched(asked.referral_id)
    bench.told(asked, match, ended(match, MatchEndReason.NOT_ATTENDED))
    (credited,) = bench.emitted(ReferralFeeCredited)
    session_id = attend(bench, match).session_id
    (again,) = bench.emitted(ReferralFeeCreditReversed)
    assert (again.credit_note_id, again.amount_pence) == (credited.credit_note_id, 30_00)
    assert bench.invoice(match.therapist_id, "referral_fee").outstanding_pence == 30_00
    take_back(bench, SessionId(session_id))
    assert len(bench.emitted(ReferralFeeCredited)) == 2
    assert (bench.account(match.therapist_id).balance_pence, bench.books().is_balanced) == (50_00, True)


def test_a_session_taken_back_is_the_awards_again(bench: Bench) -> None:
    match, award_id, fund_id = subsidised(bench)
    session = bench.draw_down(award_id)
    assert take_back(bench, SessionId(session.session_id)).changed
    fund = bench.fund(fund_id)
    assert (fund.available_pence, fund.committed_pence, fund.drawn_pence) == (5_100_00, 400_00, 0)
    (told,) = bench.emitted(SessionReversed)
    assert (told.match_id, told.attended_on, told.sessions, told.drawn_pence) == (match.match_id, TODAY, 0, 40_00)
    assert (bench.balance("therapist_payable"), bench.books().is_balanced) == (0, True)
    assert bench.draw_down(award_id).sessions_left == 9, "the day can be recorded rightly"


def test_a_session_is_taken_back_once_however_often_it_is_asked(bench: Bench) -> None:
    _, award_id, fund_id = subsidised(bench)
    session_id = SessionId(bench.draw_down(award_id).session_id)
    first = take_back(bench, session_id)
    bench.clock.advance(timedelta(days=1))
    request = ReverseSession(session_id=session_id, reason=SessionReversalReason.WRONG_DAY)
    again: ReversalView = bench.ask(sessions.reverse_session, request, by=somebody("alex"))
    assert (again.reversed_at, again.reversed_by, again.reason) == (NOW, "console:somebody", first.reason)
    assert not again.changed
    assert (len(bench.emitted(SessionReversed)), bench.fund(fund_id).committed_pence) == (1, 400_00)


def test_a_session_of_an_award_that_has_ended_goes_back_to_the_fund(bench: Bench) -> None:
    match, award_id, fund_id = subsidised(bench)
    session_id = SessionId(bench.draw_down(award_id).session_id)
    bench.told(ended_at(match, MatchEndReason.COMPLETED, NOW))
    bench.pass_days(40)
    take_back(bench, session_id)
    assert bench.emitted(SubsidyReleased)[-1].released_pence == 40_00
    assert (bench.fund(fund_id).available_pence, bench.fund(fund_id).awards_made) == (5_500_00, 0)
    assert bench.books().is_balanced


def test_an_unknown_session_can_not_be_taken_back(bench: Bench) -> None:
    with pytest.raises(Refused):
        take_back(bench, SessionId(new_id()))
