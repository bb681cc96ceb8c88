"""A match that was ended by mistake goes on: money and fees stand as if nobody had said that it had ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from chassis.ports import NotYet
from contracts.commands.billing import RecordAttendance
from contracts.events.billing import (
    AttendanceUnrecorded,
    ReferralFeeCredited,
    ReferralFeeCreditReversed,
    SubsidyApproved,
    SubsidyAssigned,
    SubsidyReleased,
    SubsidyResumed,
    SubsidyWaitlisted,
)
from contracts.events.intake import ReferralReopened
from contracts.events.matching import MatchEnded, MatchEndUndone, TherapistMatched
from contracts.vocabulary import (
    ClosureReason,
    MatchEndReason,
    ReferralId,
    ReopeningReason,
    SubsidyReleaseReason,
    UndoReason,
)
from services.billing.domain.awards import AwardState
from services.billing.handlers import referrals, sessions
from tests.unit.billing.making import HANDLERS, NOW, Bench, assessed, closed, ended, matched, referral

LATER = NOW + timedelta(hours=3)


def undone(match: TherapistMatched, at: datetime = LATER) -> MatchEndUndone:
    return MatchEndUndone(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        reason=UndoReason.RECORDED_BY_MISTAKE,
        undone_at=at,
    )


def goes_on(referral_id: ReferralId) -> ReferralReopened:
    return ReferralReopened(referral_id=referral_id, reason=ReopeningReason.MATCH_GOES_ON)


def a_match(bench: Bench, **changed: Any) -> TherapistMatched:
    """With an award of ten sessions at £40, of £5,500."""
    bench.open_fund(**changed)
    asked = referral()
    match = matched(asked.referral_id)
    bench.told(asked, assessed(asked.referral_id), match)
    return match


def ended_again(match: TherapistMatched) -> MatchEnded:
    return MatchEnded(**{**vars(ended(match, MatchEndReason.COMPLETED)), "ended_at": LATER + timedelta(days=1)})


def test_a_fee_that_was_credited_for_the_end_is_owed_again(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(ended(match, MatchEndReason.NOT_ATTENDED))
    assert bench.invoice(match.therapist_id, "referral_fee").is_settled
    bench.told(undone(match))
    assert bench.invoice(match.therapist_id, "referral_fee").outstanding_pence == 30_00
    (reversed_,) = bench.emitted(ReferralFeeCreditReversed)
    (credited,) = bench.emitted(ReferralFeeCredited)
    assert reversed_.credit_note_id == credited.credit_note_id
    assert bench.books().is_balanced


def test_a_credit_that_rests_on_another_word_stands(bench: Bench) -> None:
    """The referral was closed by a person, as not attended: that is not taken back with the match's end."""
    match = a_match(bench)
    bench.told(ended(match, MatchEndReason.NOT_ATTENDED), closed(match.referral_id, ClosureReason.NOT_ATTENDED))
    bench.told(undone(match))
    assert bench.emitted(ReferralFeeCreditReversed) == []
    bench.told(goes_on(match.referral_id))
    assert len(bench.emitted(ReferralFeeCreditReversed)) == 1


def test_an_award_whose_money_is_still_reserved_is_held_again(bench: Bench) -> None:
    match = a_match(bench)
    award = bench.subsidy(match.referral_id).award
    assert award
    bench.draw_down(award.award_id)
    bench.told(ended(match, MatchEndReason.COMPLETED))
    bench.told(undone(match))
    bench.pass_days(60)
    found = bench.subsidy(match.referral_id).award
    assert found
    assert (found.award_id, found.state, found.held_pence) == (award.award_id, AwardState.HELD, 360_00)
    assert found.pays_until is None
    bench.draw_down(award.award_id)


def test_an_award_that_is_held_again_is_said_to_be_so_that_nobody_is_told_that_they_wait(bench: Bench) -> None:
    match = a_match(bench)
    award = bench.subsidy(match.referral_id).award
    assert award
    bench.draw_down(award.award_id)
    bench.told(ended(match, MatchEndReason.COMPLETED))
    assert bench.emitted(SubsidyResumed) == []
    bench.told(undone(match))
    (resumed,) = bench.emitted(SubsidyResumed)
    assert (resumed.award_id, resumed.pence_per_session, resumed.sessions) == (award.award_id, 40_00, 9)


def test_an_award_that_went_back_is_made_again_for_every_session_since(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(ended(match, MatchEndReason.NOT_ATTENDED))
    assert bench.funds()[0].available_pence == 5_500_00
    bench.pass_days(3)
    bench.told(undone(match, at=bench.clock.now()))
    bench.settle()
    award = bench.subsidy(match.referral_id).award
    assert award
    assert (award.state, award.held_pence) == (AwardState.HELD, 400_00)
    bench.draw_down(award.award_id, bench.today - timedelta(days=2))
    assert bench.emitted(SubsidyAssigned)[-1].award_id == award.award_id


def test_if_the_fund_has_no_money_any_more_the_client_waits_and_that_is_told(bench: Bench) -> None:
    match = a_match(bench, pence=400_00)
    bench.told(ended(match, MatchEndReason.NOT_ATTENDED))
    other = referral()
    bench.told(other, assessed(other.referral_id))
    bench.settle()
    bench.told(undone(match))
    bench.settle()
    assert bench.subsidy(match.referral_id).is_waiting
    told = [(one.referral_id, one.match_id) for one in bench.emitted(SubsidyWaitlisted)]
    assert told == [(match.referral_id, match.match_id)], "with the therapy that goes on, so that the office hears"


def test_whether_they_met_is_asked_in_its_own_time(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(ended(match, MatchEndReason.CLIENT_UNHAPPY))
    bench.told(undone(match))
    bench.pass_days(29)
    assert bench.emitted(AttendanceUnrecorded) == []
    bench.pass_days(2)
    assert [one.match_id for one in bench.emitted(AttendanceUnrecorded)] == [match.match_id]


def test_sessions_are_recorded_beyond_the_end_that_was_none(bench: Bench) -> None:
    match = matched(referral().referral_id)
    bench.told(referral(match.referral_id, subsidy_requested=False), match, ended(match, MatchEndReason.COMPLETED))
    bench.told(undone(match))
    bench.pass_days(10)
    asked = RecordAttendance(referral_id=match.referral_id, attended_on=bench.today)
    assert bench.ask(sessions.record_attendance, asked).sessions_attended == 1


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("order", list(permutations(range(5)))[::5])
def test_in_any_order_and_twice_it_comes_to_the_same(again: bool, order: tuple[int, ...]) -> None:
    bench = Bench()
    bench.open_fund()
    asked = referral()
    id_, match = asked.referral_id, matched(asked.referral_id)
    bench.hear(referrals.note_referral, asked, sequence=1)
    bench.hear(referrals.note_assessment, assessed(id_), sequence=2)
    story: list[tuple[Any, int]] = [
        (match, 1),
        (ended(match, MatchEndReason.NOT_ATTENDED), 2),
        (undone(match), 3),
        (closed(id_, ClosureReason.NOT_ATTENDED), 3),
        (goes_on(id_), 4),
    ]
    if again:
        story.append((ended_again(match), 4))
    waiting = [*order, *range(len(story))]
    while waiting:
        later = []
        for index in waiting:
            event, sequence = story[index]
            try:
                bench.hear(HANDLERS[type(event)], event, sequence=sequence)
            except NotYet:
                later.append(index)
            bench.settle()
        assert len(later) < len(waiting), "something waits for ever"
        waiting = later
    (fund,) = bench.funds()
    invoice = bench.invoice(match.therapist_id, "referral_fee")
    assert (fund.committed_pence, invoice.outstanding_pence) == (400_00, 30_00)
    assert bench.books().is_balanced
    award = bench.subsidy(id_).award
    assert award
    assert award.state is (AwardState.CLOSING if again else AwardState.HELD)


def test_a_lowered_award_says_what_it_still_pays(bench: Bench) -> None:
    """So that after an unhappy parting somebody is sought whom client and award can pay together."""
    bench.open_fund()
    asked = referral()
    bench.told(asked, assessed(asked.referral_id), matched(asked.referral_id, fee=45_00))
    (released,) = bench.emitted(SubsidyReleased)
    assert (released.reason, released.pence_per_session) == (SubsidyReleaseReason.FEE_LOWER_THAN_AWARDED, 25_00)


def test_who_needed_nothing_of_one_therapist_is_awarded_anew_for_the_next(bench: Bench) -> None:
    bench.open_fund()
    asked = referral()
    match = matched(asked.referral_id, fee=20_00)
    bench.told(asked, assessed(asked.referral_id), match)
    assert bench.emitted(SubsidyReleased)[-1].pence_per_session == 0
    bench.told(ended(match, MatchEndReason.CLIENT_UNHAPPY))
    bench.settle()
    assert [one.pence_per_session for one in bench.emitted(SubsidyApproved)] == [40_00, 40_00]
    assert bench.funds()[0].committed_pence == 400_00


def test_who_can_pay_any_fee_isnt_asked_about_again(bench: Bench) -> None:
    bench.open_fund()
    asked = referral(fee_ceiling_pence=60_00)
    match = matched(asked.referral_id)
    bench.told(asked, assessed(asked.referral_id), match, ended(match, MatchEndReason.CLIENT_UNHAPPY))
    bench.settle()
    assert not bench.subsidy(asked.referral_id).is_waiting
