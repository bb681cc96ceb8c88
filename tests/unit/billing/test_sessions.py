"""Sessions attended and funds opened by a person, and what is refused by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.ports import Refused
from contracts.commands.billing import AttendanceView, DrawDown, GetSubsidy, RecordAttendance
from contracts.events.billing import FirstSessionAttended
from contracts.vocabulary import AwardId, MatchEndReason, ReferralId
from services.billing.handlers import queries, sessions
from tests.unit.billing.making import ANYONE, NOW, Bench, assessed, ended, matched, referral, withdrawn


@pytest.fixture
def award_id(bench: Bench) -> AwardId:
    """An award of ten sessions at £40, with a therapist."""
    bench.open_fund()
    asked = referral()
    bench.told(asked, assessed(asked.referral_id), matched(asked.referral_id))
    award = bench.subsidy(asked.referral_id).award
    assert award is not None
    bench.clock.advance(timedelta(days=20))
    return award.award_id


def refusal_of(bench: Bench, request: Any) -> str:
    handler = {DrawDown: sessions.draw_down, RecordAttendance: sessions.record_attendance}[type(request)]
    with pytest.raises(Refused) as refused:
        bench.ask(handler, request)
    assert str(refused.value)
    return type(refused.value).__name__


def test_a_session_draws_the_award_down_and_is_owed_to_the_therapist(bench: Bench, award_id: AwardId) -> None:
    view = bench.draw_down(award_id)
    assert (view.drawn_pence, view.sessions_left, view.held_pence) == (40_00, 9, 360_00)
    (fund,) = bench.funds()
    assert (fund.available_pence, fund.committed_pence, fund.drawn_pence) == (5_100_00, 360_00, 40_00)
    (owed,) = (one for one in bench.books().accounts if one.account == "therapist_payable")
    assert (owed.pence, owed.fund_id) == (-40_00, fund.fund_id)
    assert bench.books().is_balanced


def test_the_first_session_with_a_therapist_is_told_once(bench: Bench, award_id: AwardId) -> None:
    for days in (0, 7):
        bench.draw_down(award_id, bench.today - timedelta(days=days))
    (told,) = bench.emitted(FirstSessionAttended)
    assert told.attended_on == bench.today


def test_an_award_pays_for_its_sessions_and_no_more(bench: Bench, award_id: AwardId) -> None:
    for days in range(10):
        bench.draw_down(award_id, bench.today - timedelta(days=days))
    over = DrawDown(award_id=award_id, attended_on=bench.today - timedelta(days=11))
    assert refusal_of(bench, over) == "AwardOver"
    assert bench.funds()[0].drawn_pence == 400_00


def test_a_session_told_twice_is_paid_once(bench: Bench, award_id: AwardId) -> None:
    bench.draw_down(award_id)
    assert refusal_of(bench, DrawDown(award_id=award_id, attended_on=bench.today)) == "SessionRecordedAlready"
    assert bench.funds()[0].drawn_pence == 40_00


def test_a_session_to_come_is_not_paid(bench: Bench, award_id: AwardId) -> None:
    tomorrow = bench.today + timedelta(days=1)
    assert refusal_of(bench, DrawDown(award_id=award_id, attended_on=tomorrow)) == "SessionInTheFuture"


def test_a_session_before_the_match_is_not_paid(bench: Bench, award_id: AwardId) -> None:
    before = bench.today - timedelta(days=21)
    assert refusal_of(bench, DrawDown(award_id=award_id, attended_on=before)) == "SessionBeforeMatch"


def test_an_unknown_award_pays_nothing(bench: Bench) -> None:
    assert refusal_of(bench, DrawDown(award_id=AwardId(new_id()), attended_on=bench.today)) == "UnknownAward"


def test_an_award_without_a_therapist_pays_nothing(bench: Bench) -> None:
    bench.open_fund()
    asked = referral()
    match = matched(asked.referral_id)
    bench.told(asked, assessed(asked.referral_id))
    award = bench.subsidy(asked.referral_id).award
    assert award is not None
    request = DrawDown(award_id=award.award_id, attended_on=bench.today)
    assert refusal_of(bench, request) == "NotMatched"
    bench.told(match, ended(match, MatchEndReason.CLIENT_UNHAPPY))
    bench.clock.advance(timedelta(days=1))
    assert refusal_of(bench, DrawDown(award_id=award.award_id, attended_on=bench.today)) == "NotMatched"


def test_the_next_therapist_is_paid_for_their_own_sessions(bench: Bench) -> None:
    bench.open_fund()
    asked = referral()
    first, second = matched(asked.referral_id), matched(asked.referral_id, matched_at=NOW + timedelta(hours=1))
    bench.told(asked, assessed(asked.referral_id), first)
    award_id = bench.subsidy(asked.referral_id).award.award_id  # type: ignore[union-attr]
    bench.draw_down(award_id)
    bench.told(ended(first, MatchEndReason.CLIENT_UNHAPPY), second)
    bench.draw_down(award_id)
    owed = {one.therapist_id: one.pence for one in bench.books().accounts if one.account == "therapist_payable"}
    assert owed == {first.therapist_id: -40_00, second.therapist_id: -40_00}


def test_a_funds_last_day_can_be_paid_and_the_day_after_can_not(bench: Bench) -> None:
    bench.open_fund(ends_on=bench.today)
    asked = referral()
    bench.told(asked, assessed(asked.referral_id), matched(asked.referral_id))
    award_id = bench.subsidy(asked.referral_id).award.award_id  # type: ignore[union-attr]
    bench.draw_down(award_id)
    bench.clock.advance(timedelta(days=1))
    assert refusal_of(bench, DrawDown(award_id=award_id, attended_on=bench.today)) == "NotOpen"


def test_attendance_without_a_subsidy_is_counted(bench: Bench) -> None:
    asked = referral(subsidy_requested=False)
    bench.told(asked, matched(asked.referral_id))
    bench.clock.advance(timedelta(days=1))
    for day in (bench.today - timedelta(days=1), bench.today):
        request = RecordAttendance(referral_id=asked.referral_id, attended_on=day)
        view: AttendanceView = bench.ask(sessions.record_attendance, request)
    assert view.sessions_attended == 2
    assert bench.balance("therapist_payable") == 0


def test_attendance_with_an_award_is_a_drawdown(bench: Bench) -> None:
    bench.open_fund()
    asked = referral()
    bench.told(asked, assessed(asked.referral_id), matched(asked.referral_id))
    request = RecordAttendance(referral_id=asked.referral_id, attended_on=bench.today)
    assert refusal_of(bench, request) == "SessionIsSubsidised"


def test_attendance_at_an_unknown_referral_is_refused(bench: Bench) -> None:
    request = RecordAttendance(referral_id=ReferralId(new_id()), attended_on=bench.today)
    assert refusal_of(bench, request) == "UnknownReferral"


def test_the_subsidy_of_an_unknown_referral_is_refused(bench: Bench) -> None:
    with pytest.raises(Refused):
        bench.ask(queries.subsidy_of, GetSubsidy(referral_id=ReferralId(new_id())))


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"ends_on": NOW.date() - timedelta(days=1)}, "EndsBeforeItStarts"),
        ({"terms": ANYONE * 2}, "PurposeNamedTwice"),
        ({"name": "Known"}, "FundNameTaken"),
    ],
)
def test_a_fund_that_can_not_be_opened_is_refused_by_name(bench: Bench, changed: dict[str, Any], name: str) -> None:
    bench.open_fund("Known")
    with pytest.raises(Refused) as refused:
        bench.open_fund(**{"name": "New", **changed})
    assert type(refused.value).__name__ == name
    assert len(bench.funds()) == 1


def test_the_trial_balance_shows_what_became_of_each_funds_money(bench: Bench, award_id: AwardId) -> None:
    bench.draw_down(award_id)
    (referral_id,) = {one.referral_id for one in bench.all_emitted if type(one).__name__ == "SubsidyApproved"}  # type: ignore[attr-defined]
    bench.told(withdrawn(referral_id))
    bench.pass_days(31)
    books = bench.books()
    (fund,) = books.funds
    assert (fund.opened_pence, fund.available_pence, fund.committed_pence) == (5_500_00, 5_460_00, 0)
    assert (fund.drawn_pence, fund.released_pence, fund.agrees) == (40_00, 360_00, True)
    assert books.is_balanced


def test_the_trial_balance_notices_a_fund_that_disagrees_with_its_journals(bench: Bench) -> None:
    bench.open_fund()
    with bench.database.unit() as unit:
        unit.session.connection().exec_driver_sql(
            "UPDATE fund SET available_pence = available_pence - 1, drawn_pence = drawn_pence + 1"
        )
    assert not bench.books().is_balanced
