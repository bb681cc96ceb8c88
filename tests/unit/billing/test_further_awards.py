"""One person across referrals, an award after an award, and money that fits nobody or never begins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.ports import Refused
from contracts.commands.billing import AllowFurtherAward, SubsidyView
from contracts.events.billing import (
    SubsidyApproved,
    SubsidyAssigned,
    SubsidyDeclined,
    SubsidyReleased,
    SubsidyWaitlisted,
)
from contracts.events.intake import ReferralReceived, ReferralReopened, ReferralWithdrawn
from contracts.events.matching import MatchingStalled, TherapistMatched
from contracts.vocabulary import (
    MatchEndReason,
    ReferralId,
    ReopeningReason,
    StallReason,
    SubsidyReleaseReason,
    SubsidyWaitReason,
    WithdrawalReason,
)
from services.billing.handlers import funding
from tests.unit.billing.making import NOW, TODAY, Bench, admitted, assessed, closed, ended, matched, referral


def asks(bench: Bench, **changed: Any) -> ReferralReceived:
    """A client who can pay £20 a session, of the £60 that are subsidised at most."""
    asked = referral(**changed)
    bench.told(asked, assessed(asked.referral_id))
    return asked


def in_therapy(bench: Bench, **changed: Any) -> TherapistMatched:
    match = matched(asks(bench, **changed).referral_id)
    bench.told(match)
    return match


def use_up(bench: Bench, referral_id: ReferralId) -> None:
    award = bench.subsidy(referral_id).award
    assert award is not None
    for _ in range(award.sessions):
        bench.draw_down(award.award_id)
        bench.clock.advance(timedelta(days=1))
    bench.settle()


def allow(bench: Bench, referral_id: ReferralId) -> SubsidyView:
    view: SubsidyView = bench.ask(funding.allow_further_award, AllowFurtherAward(referral_id=referral_id))
    bench.settle()
    return view


def duplicate(referral_id: ReferralId, into: ReferralId) -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=referral_id, reason=WithdrawalReason.DUPLICATE, merged_into_id=into)


# A cap is a person's


def test_a_cap_per_client_is_for_the_person_across_their_referrals(bench: Bench) -> None:
    bench.open_fund(client_cap_pence=500_00)
    first = in_therapy(bench)
    use_up(bench, first.referral_id)
    bench.told(ended(first, MatchEndReason.COMPLETED), closed(first.referral_id))
    again = asks(bench, previous_referral_id=first.referral_id)
    assert bench.emitted(SubsidyApproved)[-1].sessions == 2, "£100 of £500 are left for this person"
    use_up_with = matched(again.referral_id, matched_at=bench.clock.now())
    bench.told(use_up_with)
    use_up(bench, again.referral_id)
    bench.told(closed(again.referral_id))
    third = asks(bench, previous_referral_id=again.referral_id)
    assert bench.subsidy(third.referral_id).wait_reason is SubsidyWaitReason.NO_ELIGIBLE_FUND


def test_what_was_promised_to_a_duplicate_and_went_back_does_not_count(bench: Bench) -> None:
    bench.open_fund(client_cap_pence=500_00)
    one, other = asks(bench), referral()
    bench.told(other, duplicate(one.referral_id, other.referral_id))
    bench.settle()
    bench.told(assessed(other.referral_id))
    approved = bench.emitted(SubsidyApproved)
    assert [award.sessions for award in approved] == [10, 10]


def test_what_was_paid_on_a_referral_that_was_merged_counts_for_the_one_that_goes_on(bench: Bench) -> None:
    bench.open_fund(client_cap_pence=500_00)
    first, other = in_therapy(bench), referral()
    use_up(bench, first.referral_id)
    bench.told(other, duplicate(first.referral_id, other.referral_id), assessed(other.referral_id))
    assert bench.emitted(SubsidyApproved)[-1].sessions == 2


def test_what_was_merged_by_mistake_is_another_person_again(bench: Bench) -> None:
    bench.open_fund(client_cap_pence=400_00)
    first, other = in_therapy(bench), referral()
    use_up(bench, first.referral_id)
    undone = ReferralReopened(referral_id=first.referral_id, reason=ReopeningReason.UNMERGED)
    bench.told(other, duplicate(first.referral_id, other.referral_id), undone)
    bench.settle()
    bench.told(assessed(other.referral_id))
    assert bench.emitted(SubsidyApproved)[-1].referral_id == other.referral_id


def test_the_chain_of_a_persons_referrals_is_found_in_whatever_order_it_is_heard(bench: Bench) -> None:
    bench.open_fund(client_cap_pence=400_00)
    first = in_therapy(bench)
    use_up(bench, first.referral_id)
    second, third = ReferralId(new_id()), ReferralId(new_id())
    latest = asks(bench, referral_id=third, previous_referral_id=second)
    bench.told(referral(second, previous_referral_id=first.referral_id, subsidy_requested=False))
    before = len(bench.emitted(SubsidyApproved))
    assert before == 2, "nothing connected the two yet"
    bench.told(closed(latest.referral_id))
    fourth = asks(bench, previous_referral_id=third)
    assert bench.subsidy(fourth.referral_id).is_waiting


def test_a_gift_for_two_people_is_for_two_people_not_for_two_referrals(bench: Bench) -> None:
    bench.open_fund(max_awards=2)
    first = in_therapy(bench)
    use_up(bench, first.referral_id)
    bench.told(closed(first.referral_id))
    asks(bench, previous_referral_id=first.referral_id)
    second_person = asks(bench)
    third_person = asks(bench)
    assert bench.subsidy(second_person.referral_id).award is not None
    assert bench.subsidy(third_person.referral_id).wait_reason is SubsidyWaitReason.NO_MONEY


def test_somebody_whom_a_gift_has_helped_takes_no_second_place_of_it(bench: Bench) -> None:
    bench.open_fund(max_awards=1)
    first = in_therapy(bench)
    use_up(bench, first.referral_id)
    bench.told(closed(first.referral_id))
    again = asks(bench, previous_referral_id=first.referral_id)
    assert bench.subsidy(again.referral_id).award is not None


# One after another


def test_an_award_that_is_used_up_is_followed_by_another_where_the_fund_allows_it(bench: Bench) -> None:
    bench.open_fund(further_awards=True)
    match = in_therapy(bench)
    use_up(bench, match.referral_id)
    first, second = bench.emitted(SubsidyApproved)
    assert (first.referral_id, second.sessions) == (second.referral_id, 10)
    view = bench.subsidy(match.referral_id)
    assert (view.is_waiting, view.award.state) == (False, "held")  # type: ignore[union-attr]
    assert bench.books().is_balanced


def test_an_award_that_is_used_up_waits_for_a_person_where_the_fund_says_nothing(bench: Bench) -> None:
    bench.open_fund()
    match = in_therapy(bench)
    use_up(bench, match.referral_id)
    assert bench.subsidy(match.referral_id).wait_reason is SubsidyWaitReason.AWARD_USED_UP
    assert len(bench.emitted(SubsidyApproved)) == 1
    allow(bench, match.referral_id)
    assert len(bench.emitted(SubsidyApproved)) == 2
    assert not bench.subsidy(match.referral_id).is_waiting


def test_another_award_is_made_in_the_order_of_the_waiting_list(bench: Bench) -> None:
    bench.open_fund(pence=800_00, further_awards=True)
    match, second = in_therapy(bench), asks(bench)
    waits = asks(bench, received_at=NOW + timedelta(hours=1))
    use_up(bench, match.referral_id)
    bench.told(closed(second.referral_id))  # never matched: its £400 go back at once
    bench.settle()
    assert bench.subsidy(waits.referral_id).award is not None
    assert bench.subsidy(match.referral_id).wait_reason is SubsidyWaitReason.NO_MONEY


def test_sessions_reported_together_are_paid_alike_across_two_awards(bench: Bench) -> None:
    bench.open_fund(further_awards=True, sessions_per_award=2)
    match = in_therapy(bench)
    bench.pass_days(28)
    for weeks in range(4):
        award = bench.subsidy(match.referral_id).award
        assert award is not None
        assert bench.draw_down(award.award_id, TODAY + timedelta(weeks=weeks)).drawn_pence == 40_00
        bench.settle()
    assert bench.balance("therapist_payable") == -160_00


def test_no_award_follows_where_none_was_or_one_still_pays(bench: Bench) -> None:
    bench.open_fund()
    asked, other = asks(bench), referral(subsidy_requested=False)
    bench.told(other)
    for referral_id in (asked.referral_id, other.referral_id, ReferralId(new_id())):
        with pytest.raises(Refused):
            allow(bench, referral_id)


# Money that nobody uses


def test_an_award_that_has_not_begun_within_ninety_days_goes_back_to_its_fund(bench: Bench) -> None:
    fund = bench.open_fund(pence=400_00)
    idle = asks(bench)
    waits = asks(bench, received_at=NOW + timedelta(hours=1))
    bench.pass_days(90)
    assert bench.emitted(SubsidyReleased) == []
    bench.pass_days(1)
    (released,) = bench.emitted(SubsidyReleased)
    assert (released.referral_id, released.reason) == (idle.referral_id, SubsidyReleaseReason.NEVER_BEGUN)
    assert bench.subsidy(waits.referral_id).award is not None, "who has waited meanwhile is served first"
    assert bench.subsidy(idle.referral_id).wait_reason is SubsidyWaitReason.NO_MONEY
    assert bench.fund(fund.fund_id).committed_pence == 400_00


def test_an_award_that_has_begun_is_kept(bench: Bench) -> None:
    bench.open_fund()
    match = in_therapy(bench)
    bench.draw_down(bench.subsidy(match.referral_id).award.award_id)  # type: ignore[union-attr]
    bench.pass_days(120)
    assert bench.emitted(SubsidyReleased) == []


def stalled(referral_id: ReferralId, **changed: Any) -> MatchingStalled:
    fields: dict[str, Any] = {"reason": StallReason.NOBODY_AFFORDABLE, "waiting_since": NOW, **changed}
    return MatchingStalled(referral_id=referral_id, **fields)


@pytest.fixture
def poor(bench: Bench) -> ReferralReceived:
    """Somebody who can pay nothing, of whose fund £10 go to a session: £100 of its £100."""
    bench.open_fund("Small", 100_00, session_cap_pence=10_00)
    return asks(bench, fee_ceiling_pence=0)


@pytest.mark.parametrize("said", [{"highest_fee_pence": 10_00}, {}], ids=["with what it sought", "by the time alone"])
def test_an_award_that_fits_no_therapist_goes_to_the_next_and_the_client_is_told_why(
    bench: Bench, poor: ReferralReceived, said: dict[str, int]
) -> None:
    waits = asks(bench, received_at=NOW + timedelta(hours=1), fee_ceiling_pence=50_00)
    assert bench.subsidy(waits.referral_id).wait_reason is SubsidyWaitReason.NO_MONEY
    bench.told(stalled(poor.referral_id, **said))
    bench.settle()
    (released,) = bench.emitted(SubsidyReleased)
    assert (released.released_pence, released.reason) == (100_00, SubsidyReleaseReason.NO_THERAPIST_FITS)
    assert bench.subsidy(waits.referral_id).award is not None
    assert bench.emitted(SubsidyWaitlisted)[-1] == SubsidyWaitlisted(
        referral_id=poor.referral_id, reason=SubsidyWaitReason.NO_THERAPIST_FITS
    )


def test_an_award_that_fits_nobody_is_not_made_again(bench: Bench, poor: ReferralReceived) -> None:
    bench.told(stalled(poor.referral_id, highest_fee_pence=10_00))
    bench.settle()
    bench.open_fund("As small", 100_00, session_cap_pence=10_00)
    assert len(bench.emitted(SubsidyApproved)) == 1
    bench.open_fund("Larger", 300_00, session_cap_pence=30_00)
    assert bench.emitted(SubsidyApproved)[-1].pence_per_session == 30_00


def test_an_award_is_tried_again_when_a_therapist_comes_who_costs_less(bench: Bench, poor: ReferralReceived) -> None:
    bench.told(stalled(poor.referral_id, highest_fee_pence=10_00))
    for fee, awards in ((11_00, 1), (10_00, 2)):
        match = matched(poor.referral_id)
        bench.told(_admitted_at(match, fee))
        bench.settle()
        assert len(bench.emitted(SubsidyApproved)) == awards


@pytest.mark.parametrize(
    "changed",
    [{"highest_fee_pence": 0}, {"reason": StallReason.NOBODY_NEAR}, {"waiting_since": NOW - timedelta(days=1)}],
    ids=["sought without the award", "for another reason", "since before the award"],
)
def test_an_award_is_kept_that_was_not_tried_in_vain(
    bench: Bench, poor: ReferralReceived, changed: dict[str, Any]
) -> None:
    bench.told(stalled(poor.referral_id, **changed))
    assert bench.emitted(SubsidyReleased) == []


def _admitted_at(match: TherapistMatched, fee: int) -> Any:
    event = admitted(match.therapist_id)
    return type(event)(**{**vars(event), "session_fee_pence": fee})


# What therapist and client are told


def test_the_therapist_is_told_of_an_award_when_they_accept(bench: Bench) -> None:
    fund = bench.open_fund()
    asked = asks(bench)
    match = matched(asked.referral_id, fee=45_00)
    bench.told(match)
    (told,) = bench.emitted(SubsidyAssigned)
    assert (told.match_id, told.therapist_id) == (match.match_id, match.therapist_id)
    assert (told.pence_per_session, told.sessions, told.ends_on) == (25_00, 10, fund.ends_on)
    assert told.begin_by == TODAY + timedelta(days=90)


def test_the_therapist_is_told_of_an_award_that_is_made_later(bench: Bench) -> None:
    match = in_therapy(bench)
    assert bench.emitted(SubsidyAssigned) == []
    bench.open_fund()
    assert [one.match_id for one in bench.emitted(SubsidyAssigned)] == [match.match_id]


def test_the_next_therapist_is_told_what_is_left_of_the_award(bench: Bench) -> None:
    bench.open_fund()
    first = in_therapy(bench)
    bench.draw_down(bench.subsidy(first.referral_id).award.award_id)  # type: ignore[union-attr]
    second = matched(first.referral_id, matched_at=NOW + timedelta(hours=1))
    bench.told(ended(first, MatchEndReason.CLIENT_UNHAPPY), second)
    told = bench.emitted(SubsidyAssigned)[-1]
    assert (told.match_id, told.sessions, told.begin_by) == (second.match_id, 9, None)


def test_a_decline_names_the_therapy_that_is_going_on(bench: Bench) -> None:
    match = in_therapy(bench)
    bench.told(referral(match.referral_id, fee_ceiling_pence=60_00))
    bench.settle()
    assert [one.match_id for one in bench.emitted(SubsidyDeclined)] == [match.match_id]
