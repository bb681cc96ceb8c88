"""Subsidies: decided, waited for, lowered, kept and released, as billing hears of a referral."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.ids import new_id
from chassis.ports import NotYet, Refused, TimerHandler
from contracts.commands.billing import ConfirmArea, OpenFund
from contracts.events.billing import FundOpened, SubsidyApproved, SubsidyDeclined, SubsidyReleased, SubsidyWaitlisted
from contracts.events.intake import ReferralReceived
from contracts.vocabulary import (
    ClientGroup,
    FundPurpose,
    MatchEndReason,
    ReferralId,
    SubsidyDeclineReason,
    SubsidyReleaseReason,
    SubsidyWaitReason,
)
from services.billing.application import subsidies
from services.billing.handlers import funding, referrals, timers
from tests.unit.billing.making import (
    ANYONE,
    GWENT,
    NOW,
    Bench,
    assessed,
    closed,
    ended,
    matched,
    referral,
    signposted,
    withdrawn,
)

NO_MONEY = SubsidyWaitReason.NO_MONEY


def waiting(bench: Bench, minutes: int = 0) -> ReferralReceived:
    """A client who asked some minutes after the first and has to wait."""
    asked = referral(received_at=NOW + timedelta(minutes=minutes))
    bench.told(asked, assessed(asked.referral_id))
    return asked


def test_a_subsidy_is_approved_once_the_referral_was_assessed(bench: Bench) -> None:
    fund, asked = bench.open_fund(), referral()
    bench.told(asked)
    assert bench.emitted(SubsidyApproved) == []
    bench.told(assessed(asked.referral_id))
    (approved,) = bench.emitted(SubsidyApproved)
    assert (approved.referral_id, approved.fund_id) == (asked.referral_id, fund.fund_id)
    assert (approved.pence_per_session, approved.sessions, approved.committed_pence) == (40_00, 10, 400_00)
    assert approved.approved_at == NOW
    assert (bench.fund(fund.fund_id).available_pence, bench.fund(fund.fund_id).committed_pence) == (5_100_00, 400_00)
    assert bench.books().is_balanced


def test_nobody_is_awarded_what_they_did_not_ask_for(bench: Bench) -> None:
    bench.open_fund()
    asked = referral(subsidy_requested=False)
    bench.told(asked, assessed(asked.referral_id))
    assert bench.emitted(SubsidyApproved) == bench.emitted(SubsidyWaitlisted) == []
    assert not bench.subsidy(asked.referral_id).subsidy_requested


def test_an_assessment_waits_for_its_referral(bench: Bench) -> None:
    with pytest.raises(NotYet):
        bench.told(assessed(ReferralId(new_id())))


def test_a_client_who_can_pay_is_told_once_that_no_subsidy_is_needed(bench: Bench) -> None:
    bench.open_fund()
    asked = referral(fee_ceiling_pence=60_00)
    bench.told(asked, assessed(asked.referral_id), assessed(asked.referral_id))
    view = bench.subsidy(asked.referral_id)
    assert (view.award, view.is_waiting) == (None, False)
    assert bench.emitted(SubsidyDeclined) == [
        SubsidyDeclined(referral_id=asked.referral_id, reason=SubsidyDeclineReason.WITHIN_MEANS)
    ]
    assert bench.emitted(SubsidyWaitlisted) == []


def test_the_partnership_fund_pays_for_gwent_and_the_gift_for_two_people_elsewhere(bench: Bench) -> None:
    gwent = bench.open_fund("Partnership Fund", 5_500_00, terms=GWENT)
    gift = bench.open_fund("A former client's gift", 800_00, terms=ANYONE, max_awards=2)
    at_home = waiting(bench)
    survivors = [referral(client_group=ClientGroup.SURVIVOR, police_force_area="kent") for _ in range(3)]
    for one in survivors:
        bench.told(one, assessed(one.referral_id))
    paid_by = [(one.referral_id, one.fund_id) for one in bench.emitted(SubsidyApproved)]
    assert paid_by == [
        (at_home.referral_id, gwent.fund_id),
        (survivors[0].referral_id, gift.fund_id),
        (survivors[1].referral_id, gift.fund_id),
    ]
    (waits,) = bench.emitted(SubsidyWaitlisted)
    assert (waits.referral_id, waits.reason) == (survivors[2].referral_id, NO_MONEY)


def test_the_partnership_funds_opening_tells_its_purposes(bench: Bench) -> None:
    fund = bench.open_fund("Partnership Fund", 5_500_00, terms=GWENT)
    (opened,) = bench.emitted(FundOpened)
    assert (opened.fund_id, opened.amount_pence) == (fund.fund_id, 5_500_00)
    assert opened.purposes == (FundPurpose.THERAPY, FundPurpose.TRAINING)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, SubsidyWaitReason.NO_MONEY),
        ({"police_force_area": "kent", "local_authority": None}, SubsidyWaitReason.NO_ELIGIBLE_FUND),
        ({"client_group": ClientGroup.SURVIVOR}, SubsidyWaitReason.NO_ELIGIBLE_FUND),
    ],
    ids=["no_money", "elsewhere", "another_group"],
)
def test_a_request_that_no_fund_can_pay_waits_and_is_told_why(
    bench: Bench, changed: dict[str, object], reason: SubsidyWaitReason
) -> None:
    bench.open_fund("Partnership Fund", 39_99, terms=GWENT)
    asked = referral(**changed)
    bench.told(asked, assessed(asked.referral_id))
    assert [one.reason for one in bench.emitted(SubsidyWaitlisted)] == [reason]
    assert bench.subsidy(asked.referral_id).wait_reason is reason


def test_those_who_wait_are_served_in_the_order_in_which_they_asked(bench: Bench) -> None:
    last, first, middle = (waiting(bench, minutes) for minutes in (9, 0, 5))
    bench.open_fund(pence=900_00)
    served = [one.referral_id for one in bench.emitted(SubsidyApproved)]
    assert served == [first.referral_id, middle.referral_id, last.referral_id]
    assert [one.sessions for one in bench.emitted(SubsidyApproved)] == [10, 10, 2]


def test_nobody_who_asks_now_goes_before_those_who_wait_when_money_comes(bench: Bench) -> None:
    waits = waiting(bench)
    bench.ask(funding.open_fund, _fund_for_one())
    newcomer = waiting(bench, 1)
    bench.settle()
    assert [one.referral_id for one in bench.emitted(SubsidyApproved)] == [waits.referral_id]
    assert bench.subsidy(newcomer.referral_id).wait_reason is NO_MONEY


def test_released_money_serves_those_who_wait(bench: Bench) -> None:
    bench.open_fund(pence=400_00)
    helped, waits = waiting(bench), waiting(bench, 1)
    assert bench.subsidy(waits.referral_id).is_waiting
    bench.told(withdrawn(helped.referral_id))
    bench.settle()
    assert bench.subsidy(waits.referral_id).award is not None
    assert not bench.subsidy(waits.referral_id).is_waiting


def test_money_that_comes_often_in_one_moment_serves_the_waiting_list_once(bench: Bench) -> None:
    for name in ("One", "Two", "Three"):
        bench.ask(funding.open_fund, _fund_for_one(name))
    assert bench.fire_due({**_fund_timers(), "serve_waiting_list": timers.serve_waiting_list}) == 3
    assert bench.fire_due({**_fund_timers(), "serve_waiting_list": timers.serve_waiting_list}) == 1


def test_a_long_waiting_list_is_served_a_part_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsidies, "ENTRIES_AT_ONCE", 2)
    # Three of them asked at the same moment, so that the identifier decides who is next.
    asked = [waiting(bench, minutes) for minutes in (0, 0, 0, 1, 2)]
    bench.open_fund()
    served = [one.referral_id for one in bench.emitted(SubsidyApproved)]
    assert sorted(served[:3]) == served[:3]
    assert set(served[:3]) == {one.referral_id for one in asked[:3]}
    assert served[3:] == [one.referral_id for one in asked[3:]]


def test_those_who_are_passed_over_do_not_hold_up_a_long_waiting_list(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subsidies, "ENTRIES_AT_ONCE", 2)
    elsewhere = [referral(police_force_area="kent", received_at=NOW - timedelta(hours=1)) for _ in range(4)]
    for one in elsewhere:
        bench.told(one, assessed(one.referral_id))
    asked = waiting(bench)
    bench.open_fund(terms=GWENT)
    assert [one.referral_id for one in bench.emitted(SubsidyApproved)] == [asked.referral_id]


def test_being_passed_over_again_is_not_told_twice(bench: Bench) -> None:
    waiting(bench)
    bench.open_fund("Empty", 1)
    bench.open_fund("Empty too", 1)
    assert [one.reason for one in bench.emitted(SubsidyWaitlisted)] == [SubsidyWaitReason.NO_ELIGIBLE_FUND, NO_MONEY]


def test_a_fund_that_opens_later_serves_nobody_before(bench: Bench) -> None:
    asked = waiting(bench)
    bench.open_fund(starts_on=bench.today + timedelta(days=2))
    assert bench.subsidy(asked.referral_id).is_waiting
    bench.pass_days(2)
    assert bench.subsidy(asked.referral_id).award is not None


def test_a_confirmed_area_opens_the_areas_fund(bench: Bench) -> None:
    bench.open_fund(terms=GWENT)
    asked = referral(police_force_area=None, local_authority=None)
    bench.told(asked, assessed(asked.referral_id))
    assert bench.subsidy(asked.referral_id).wait_reason is SubsidyWaitReason.AREA_TO_BE_CONFIRMED
    bench.ask(funding.confirm_area, ConfirmArea(referral_id=asked.referral_id, police_force_area="gwent"))
    bench.settle()
    assert bench.subsidy(asked.referral_id).award is not None


def test_a_confirmed_area_is_not_undone_by_a_later_event(bench: Bench) -> None:
    bench.open_fund(terms=GWENT)
    asked = referral(police_force_area=None, local_authority=None)
    bench.told(asked)
    bench.ask(funding.confirm_area, ConfirmArea(referral_id=asked.referral_id, police_force_area="gwent"))
    bench.told(asked, assessed(asked.referral_id))
    assert bench.subsidy(asked.referral_id).award is not None


def test_the_area_of_an_unknown_referral_can_not_be_confirmed(bench: Bench) -> None:
    with pytest.raises(Refused):
        bench.ask(funding.confirm_area, ConfirmArea(referral_id=ReferralId(new_id()), police_force_area="gwent"))


def test_newer_facts_of_a_referral_replace_older_ones(bench: Bench) -> None:
    bench.open_fund(terms=GWENT)
    asked = referral(police_force_area=None, local_authority=None)
    bench.told(asked, assessed(asked.referral_id))
    bench.told(referral(asked.referral_id))
    bench.settle()
    assert bench.subsidy(asked.referral_id).award is not None


def test_older_facts_of_a_referral_are_dropped(bench: Bench) -> None:
    asked = referral()
    bench.hear(referrals.note_referral, asked, sequence=5)
    bench.hear(referrals.note_referral, referral(asked.referral_id, subsidy_requested=False), sequence=4)
    assert bench.subsidy(asked.referral_id).subsidy_requested


def test_who_no_longer_asks_leaves_the_waiting_list(bench: Bench) -> None:
    asked = waiting(bench)
    bench.told(referral(asked.referral_id, subsidy_requested=False))
    assert not bench.subsidy(asked.referral_id).is_waiting


def test_who_asks_after_the_assessment_is_awarded(bench: Bench) -> None:
    bench.open_fund()
    asked = referral(subsidy_requested=False)
    bench.told(asked, assessed(asked.referral_id), referral(asked.referral_id))
    assert bench.subsidy(asked.referral_id).award is not None


def test_a_therapist_who_costs_less_releases_the_difference(bench: Bench) -> None:
    fund, asked = bench.open_fund(), waiting(bench)
    bench.told(matched(asked.referral_id, fee=45_00))
    (released,) = bench.emitted(SubsidyReleased)
    assert (released.released_pence, released.reason) == (150_00, SubsidyReleaseReason.FEE_LOWER_THAN_AWARDED)
    award = bench.subsidy(asked.referral_id).award
    assert award is not None
    assert (award.pence_per_session, award.held_pence, award.state) == (25_00, 250_00, "held")
    assert bench.fund(fund.fund_id).available_pence == 5_250_00
    assert bench.books().is_balanced


def test_a_therapist_whom_the_client_can_pay_releases_all(bench: Bench) -> None:
    fund, asked = bench.open_fund(), waiting(bench)
    bench.told(matched(asked.referral_id, fee=20_00))
    assert bench.fund(fund.fund_id).available_pence == 5_500_00
    assert bench.subsidy(asked.referral_id).award.state == "ended"  # type: ignore[union-attr]


@pytest.mark.parametrize("fee", [60_00, 90_00])
def test_a_therapist_who_costs_no_less_releases_nothing(bench: Bench, fee: int) -> None:
    bench.open_fund()
    asked = waiting(bench)
    bench.told(matched(asked.referral_id, fee=fee))
    assert bench.emitted(SubsidyReleased) == []


def test_who_is_matched_while_waiting_is_awarded_what_the_therapist_costs(bench: Bench) -> None:
    asked = waiting(bench)
    bench.told(matched(asked.referral_id, fee=45_00))
    bench.open_fund()
    (approved,) = bench.emitted(SubsidyApproved)
    assert (approved.pence_per_session, approved.committed_pence) == (25_00, 250_00)


def test_who_is_matched_while_waiting_and_can_pay_waits_no_longer(bench: Bench) -> None:
    asked = waiting(bench)
    bench.told(matched(asked.referral_id, fee=20_00))
    bench.open_fund()
    view = bench.subsidy(asked.referral_id)
    assert (view.award, view.is_waiting) == (None, False)
    assert [one.referral_id for one in bench.emitted(SubsidyDeclined)] == [asked.referral_id]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (withdrawn, SubsidyReleaseReason.WITHDRAWN),
        (signposted, SubsidyReleaseReason.SIGNPOSTED),
        (closed, SubsidyReleaseReason.MATCH_ENDED),
    ],
)
def test_the_end_of_a_referral_releases_what_is_left(bench: Bench, end: object, reason: SubsidyReleaseReason) -> None:
    fund, asked = bench.open_fund(), waiting(bench)
    bench.told(end(asked.referral_id))  # type: ignore[operator]
    (released,) = bench.emitted(SubsidyReleased)
    assert (released.released_pence, released.reason) == (400_00, reason)
    assert bench.fund(fund.fund_id).available_pence == 5_500_00
    assert bench.books().is_balanced


@pytest.mark.parametrize("end", [withdrawn, signposted, closed])
def test_the_end_of_a_referral_leaves_the_waiting_list(bench: Bench, end: object) -> None:
    asked = waiting(bench)
    bench.told(end(asked.referral_id))  # type: ignore[operator]
    bench.open_fund()
    assert bench.emitted(SubsidyApproved) == []


def test_an_assessment_after_the_end_awards_nothing(bench: Bench) -> None:
    bench.open_fund()
    asked = referral()
    bench.told(asked, withdrawn(asked.referral_id), assessed(asked.referral_id))
    assert bench.emitted(SubsidyApproved) == bench.emitted(SubsidyWaitlisted) == []


@pytest.mark.parametrize("reason", [MatchEndReason.COMPLETED, MatchEndReason.NOT_ATTENDED, MatchEndReason.WITHDRAWN])
def test_the_end_of_a_match_releases_what_is_left(bench: Bench, reason: MatchEndReason) -> None:
    fund, asked = bench.open_fund(), waiting(bench)
    match = matched(asked.referral_id)
    bench.told(match)
    bench.draw_down(bench.subsidy(asked.referral_id).award.award_id)  # type: ignore[union-attr]
    bench.told(ended(match, reason))
    bench.pass_days(31)  # while sessions may still be reported the money is reserved for them
    (released,) = bench.emitted(SubsidyReleased)
    withdrew = reason is MatchEndReason.WITHDRAWN
    assert released.released_pence == 360_00
    assert released.reason is (SubsidyReleaseReason.WITHDRAWN if withdrew else SubsidyReleaseReason.MATCH_ENDED)
    view = bench.fund(fund.fund_id)
    assert (view.available_pence, view.committed_pence, view.drawn_pence) == (5_460_00, 0, 40_00)


def test_an_unhappy_client_keeps_the_award_for_the_next_therapist(bench: Bench) -> None:
    bench.open_fund()
    asked = waiting(bench)
    first = matched(asked.referral_id)
    second = matched(asked.referral_id, fee=50_00, matched_at=NOW + timedelta(minutes=5))
    bench.told(first, ended(first, MatchEndReason.CLIENT_UNHAPPY))
    assert bench.emitted(SubsidyReleased) == []
    bench.told(second)
    award = bench.subsidy(asked.referral_id).award
    assert award is not None
    assert (award.state, award.pence_per_session, award.held_pence) == ("held", 30_00, 300_00)


def test_the_end_of_a_match_told_again_takes_no_later_award_away(bench: Bench) -> None:
    asked = waiting(bench)
    match = matched(asked.referral_id)
    end = ended(match, MatchEndReason.NOT_ATTENDED)
    bench.told(match, end)
    bench.open_fund()
    bench.told(end)
    assert bench.emitted(SubsidyReleased) == []
    assert bench.subsidy(asked.referral_id).award.state == "held"  # type: ignore[union-attr]


def test_a_funds_end_releases_what_is_committed_and_its_clients_wait_for_another(bench: Bench) -> None:
    ending = bench.open_fund("Ending", 400_00, ends_on=bench.today + timedelta(days=3))
    asked = waiting(bench)
    bench.told(matched(asked.referral_id))
    bench.draw_down(bench.subsidy(asked.referral_id).award.award_id)  # type: ignore[union-attr]
    bench.pass_days(3)
    assert bench.subsidy(asked.referral_id).award.state == "held"  # type: ignore[union-attr]
    bench.pass_days(1)
    assert bench.subsidy(asked.referral_id).award.state == "closing"  # type: ignore[union-attr]
    assert bench.subsidy(asked.referral_id).wait_reason is SubsidyWaitReason.NO_ELIGIBLE_FUND
    bench.pass_days(29)
    assert bench.emitted(SubsidyReleased) == []
    bench.pass_days(1)
    (released,) = bench.emitted(SubsidyReleased)
    assert (released.fund_id, released.released_pence) == (ending.fund_id, 360_00)
    assert bench.fund(ending.fund_id).committed_pence == 0
    other = bench.open_fund("Another")
    assert bench.emitted(SubsidyApproved)[-1].fund_id == other.fund_id


def test_whose_therapy_is_over_waits_for_no_other_fund(bench: Bench) -> None:
    bench.open_fund(ends_on=bench.today)
    asked = waiting(bench)
    bench.told(closed(asked.referral_id))
    bench.pass_days(1)
    assert not bench.subsidy(asked.referral_id).is_waiting


def _fund_for_one(name: str = "For one") -> OpenFund:
    day = NOW.date()
    return OpenFund(name=name, amount_pence=400_00, terms=ANYONE, starts_on=day, ends_on=day + timedelta(days=30))


def _fund_timers() -> dict[str, TimerHandler]:
    return {"start_fund": timers.start_fund, "end_fund": timers.end_fund}
