"""Which fund pays for a referral, and how much."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from contracts.vocabulary import AwardId, ClientGroup, FundId, FundPurpose, ReferralId, SubsidyWaitReason
from services.billing.domain.awards import (
    Award,
    AwardOver,
    AwardState,
    Grant,
    NoFundCanPay,
    NothingNeeded,
    Request,
    choose,
    grant_from,
    need_per_session,
)
from services.billing.domain.funds import Area, ClientCapReached, Fund, NoMoney, Terms
from tests.unit.billing import making
from tests.unit.billing.making import NOW, TODAY, a_fund, drawn

POLICY = making.POLICY.awards
IN_GWENT = (Terms(purpose=FundPurpose.THERAPY, police_force_areas=frozenset({"gwent"})),)
NO_MONEY, NO_FUND, AREA = (
    SubsidyWaitReason.NO_MONEY,
    SubsidyWaitReason.NO_ELIGIBLE_FUND,
    (SubsidyWaitReason.AREA_TO_BE_CONFIRMED),
)


def a_request(**changed: Any) -> Request:
    fields: dict[str, Any] = {
        "client_group": ClientGroup.AT_RISK,
        "area": Area(police_force_area="gwent"),
        "fee_ceiling_pence": 20_00,
    }
    return Request(**{**fields, **changed})


def chosen(*funds: Fund, **changed: Any) -> Grant:
    return choose(request=a_request(**changed), funds=funds, policy=POLICY, on=TODAY)


def awarded(fund: Fund, **changed: Any) -> Award:
    return chosen(fund, **changed).commit(award_id=AwardId(new_id()), referral_id=ReferralId(new_id()), at=NOW)


def test_the_fund_pays_what_the_client_can_not() -> None:
    grant = chosen(a_fund())
    assert (grant.pence_per_session, grant.sessions, grant.pence) == (40_00, 10, 400_00)


def test_a_client_who_did_not_say_what_they_can_pay_is_paid_for_in_full() -> None:
    assert chosen(a_fund(), fee_ceiling_pence=None).pence_per_session == 60_00


def test_no_more_is_paid_for_a_session_than_the_funds_cap() -> None:
    assert chosen(a_fund(session_cap_pence=25_00)).pence_per_session == 25_00


def test_a_known_session_fee_goes_before_the_highest() -> None:
    assert chosen(a_fund(), session_fee_pence=45_00).pence_per_session == 25_00


def test_a_dearer_therapist_is_subsidised_up_to_the_highest_fee() -> None:
    assert chosen(a_fund(), session_fee_pence=120_00).pence_per_session == 40_00


def test_who_can_pay_the_highest_subsidised_fee_needs_nothing_even_where_there_is_no_fund() -> None:
    with pytest.raises(NothingNeeded):
        chosen(fee_ceiling_pence=60_00)


def test_nothing_is_awarded_to_who_can_pay_the_highest_subsidised_fee() -> None:
    with pytest.raises(NothingNeeded):
        chosen(a_fund(), fee_ceiling_pence=60_00)


def test_a_fund_may_allow_fewer_sessions_than_the_policy() -> None:
    assert chosen(a_fund(sessions_per_award=4)).sessions == 4


def test_a_fund_can_not_allow_more_sessions_than_the_policy() -> None:
    assert chosen(a_fund(sessions_per_award=40)).sessions == 10


def test_sessions_are_as_many_as_the_money_pays_for() -> None:
    assert chosen(a_fund(130_00)).sessions == 3


def test_one_session_is_the_least_that_is_awarded() -> None:
    assert chosen(a_fund(40_00)).sessions == 1
    with pytest.raises(NoMoney):
        grant_from(a_fund(39_99), request=a_request(), policy=POLICY, on=TODAY)


def test_a_cap_for_each_client_limits_the_sessions() -> None:
    assert chosen(a_fund(client_cap_pence=100_00)).sessions == 2


def test_a_cap_for_each_client_counts_what_they_had_before() -> None:
    fund = a_fund(client_cap_pence=100_00)
    assert chosen(fund, received_pence={fund.id: 60_00}).sessions == 1
    with pytest.raises(ClientCapReached):
        grant_from(fund, request=a_request(received_pence={fund.id: 61_00}), policy=POLICY, on=TODAY)


def test_what_another_fund_paid_is_not_counted() -> None:
    assert chosen(a_fund(client_cap_pence=100_00), received_pence={FundId(new_id()): 90_00}).sessions == 2


def test_money_for_an_area_is_spent_before_money_for_anywhere() -> None:
    anywhere = a_fund(ends_on=TODAY)
    gwent = a_fund(terms=IN_GWENT, ends_on=TODAY + timedelta(days=300))
    assert chosen(anywhere, gwent).fund is gwent


def test_the_fund_that_ends_first_is_spent_first() -> None:
    late, early = a_fund(ends_on=date(2027, 6, 30)), a_fund(ends_on=date(2027, 3, 31))
    assert chosen(late, early).fund is early


def test_between_equals_the_identifier_decides() -> None:
    low, high = (a_fund(id=FundId(UUID(int=number))) for number in (1, 2))
    assert chosen(high, low).fund is low


def test_the_areas_of_another_purpose_make_no_fund_more_restricted() -> None:
    training = Terms(purpose=FundPurpose.TRAINING, police_force_areas=frozenset({"gwent"}))
    mixed = a_fund(terms=(*a_fund().terms, training), ends_on=date(2027, 6, 30))
    plain = a_fund(ends_on=date(2027, 3, 31))
    assert chosen(mixed, plain).fund is plain


def test_an_empty_fund_is_passed_over_for_the_next() -> None:
    empty, full = a_fund(terms=IN_GWENT, available_pence=0), a_fund()
    assert chosen(empty, full).fund is full


@pytest.mark.parametrize(
    ("funds", "reason"),
    [
        ([], NO_FUND),
        ([a_fund(terms=(Terms(purpose=FundPurpose.TRAINING),))], NO_FUND),
        ([a_fund(ends_on=date(2026, 11, 22))], NO_FUND),
        ([a_fund(39_99)], NO_MONEY),
        ([a_fund(max_awards=1, awards_made=1)], NO_MONEY),
        ([a_fund(client_cap_pence=10)], NO_FUND),
    ],
    ids=["none", "training_only", "over", "too_little_left", "helped_enough_people", "client_cap"],
)
def test_who_can_not_be_paid_for_is_told_what_would_have_to_change(funds: list[Fund], reason: str) -> None:
    with pytest.raises(NoFundCanPay) as refused:
        chosen(*funds)
    assert refused.value.reason is reason


def test_an_unknown_area_is_the_reason_if_nothing_else_is() -> None:
    with pytest.raises(NoFundCanPay) as refused:
        chosen(a_fund(10), a_fund(terms=IN_GWENT), area=Area())
    assert refused.value.reason is AREA


def test_an_unknown_area_is_no_reason_when_the_areas_fund_is_empty() -> None:
    with pytest.raises(NoFundCanPay) as refused:
        chosen(a_fund(10, terms=IN_GWENT), area=Area())
    assert refused.value.reason is NO_MONEY


def test_a_referral_elsewhere_is_told_that_no_fund_is_for_them() -> None:
    with pytest.raises(NoFundCanPay) as refused:
        chosen(a_fund(terms=IN_GWENT), area=Area(police_force_area="kent"))
    assert refused.value.reason is NO_FUND


def test_each_session_draws_its_part_until_the_award_is_used() -> None:
    fund = a_fund()
    award = awarded(fund, session_fee_pence=30_00)
    assert [drawn(award, fund) for _ in range(10)] == [10_00] * 10
    assert (award.state, award.held_pence, fund.committed_pence, fund.drawn_pence) == (AwardState.USED, 0, 0, 100_00)
    with pytest.raises(AwardOver, match="used"):
        drawn(award, fund)


def test_what_is_left_when_an_award_ends_is_released() -> None:
    fund = a_fund()
    award = awarded(fund)
    drawn(award, fund)
    assert award.end(fund=fund) == 360_00
    assert (award.state, award.drawn_pence, award.released_pence) == (AwardState.ENDED, 40_00, 360_00)
    with pytest.raises(AwardOver, match="ended"):
        drawn(award, fund)


def test_an_award_ends_once() -> None:
    fund = a_fund()
    award = awarded(fund)
    assert (award.end(fund=fund), award.end(fund=fund)) == (400_00, 0)


def test_a_lower_fee_releases_the_difference_for_the_sessions_to_come() -> None:
    fund = a_fund()
    award = awarded(fund)
    drawn(award, fund)
    assert award.lower_to(fund=fund, pence_per_session=30_00) == 90_00
    assert (award.pence_per_session, award.held_pence, fund.committed_pence) == (30_00, 270_00, 270_00)


@pytest.mark.parametrize("pence", [40_00, 55_00])
def test_a_fee_that_is_not_lower_changes_nothing(pence: int) -> None:
    fund = a_fund()
    award = awarded(fund)
    assert award.lower_to(fund=fund, pence_per_session=pence) == 0
    assert award.pence_per_session == 40_00


def test_a_fee_that_the_client_can_pay_ends_the_award() -> None:
    fund = a_fund(max_awards=1)
    award = awarded(fund)
    assert award.lower_to(fund=fund, pence_per_session=0) == 400_00
    assert (award.state, fund.awards_made) == (AwardState.ENDED, 0)


@pytest.mark.parametrize(("fee", "ceiling", "need"), [(60, 20, 40), (60, None, 60), (20, 60, 0), (60, 60, 0)])
def test_the_need_is_the_fee_less_what_the_client_can_pay(fee: int, ceiling: int | None, need: int) -> None:
    assert need_per_session(session_fee_pence=fee, fee_ceiling_pence=ceiling) == need
