"""Funds: never overspent, spent outside their terms or after their end; each refusal has a name."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.vocabulary import ClientGroup, FundPurpose
from services.billing.domain.funds import (
    Area,
    AreaToBeConfirmed,
    EndsBeforeItStarts,
    Fund,
    MoreThanCommitted,
    NoAwardsLeft,
    NoMoney,
    NotForThisPurpose,
    NotOpen,
    OutsideArea,
    PurposeNamedTwice,
    Terms,
    WrongClientGroup,
    check_terms,
)
from tests.unit.billing.making import TODAY, a_fund

THERAPY, TRAINING = FundPurpose.THERAPY, FundPurpose.TRAINING
GWENT, SOUTH_WALES = Area(police_force_area="gwent"), Area(police_force_area="south_wales")
UNKNOWN = Area()
NEWPORT = "W06000022"


def partnership_fund() -> Fund:
    """£5,500 for offenders and their families in Gwent, and for training in Gwent and South Wales."""
    therapy = Terms(
        purpose=THERAPY,
        client_groups=frozenset({ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.FAMILY}),
        police_force_areas=frozenset({"gwent"}),
    )
    training = Terms(purpose=TRAINING, police_force_areas=frozenset({"gwent", "south_wales"}))
    return a_fund(5_500_00, name="Partnership Fund", terms=(therapy, training))


@pytest.mark.parametrize("group", [ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.FAMILY])
def test_the_partnership_fund_helps_offenders_and_families_in_gwent(group: ClientGroup) -> None:
    partnership_fund().check_person(purpose=THERAPY, client_group=group, area=GWENT)


def test_the_partnership_fund_refuses_a_survivor() -> None:
    with pytest.raises(WrongClientGroup, match="at_risk, family, offended"):
        partnership_fund().check_person(purpose=THERAPY, client_group=ClientGroup.SURVIVOR, area=GWENT)


def test_the_partnership_fund_pays_no_therapy_in_south_wales() -> None:
    with pytest.raises(OutsideArea):
        partnership_fund().check_person(purpose=THERAPY, client_group=ClientGroup.FAMILY, area=SOUTH_WALES)


@pytest.mark.parametrize("area", [GWENT, SOUTH_WALES])
def test_the_partnership_fund_pays_training_in_gwent_and_south_wales(area: Area) -> None:
    partnership_fund().check_person(purpose=TRAINING, client_group=None, area=area)


def test_the_partnership_fund_pays_no_training_elsewhere() -> None:
    with pytest.raises(OutsideArea):
        partnership_fund().check_person(purpose=TRAINING, client_group=None, area=Area(police_force_area="dyfed_powys"))


def test_a_referral_with_an_outward_code_alone_waits_for_its_area() -> None:
    with pytest.raises(AreaToBeConfirmed, match="full postcode"):
        partnership_fund().check_person(purpose=THERAPY, client_group=ClientGroup.FAMILY, area=UNKNOWN)


def test_a_fund_without_areas_asks_for_none() -> None:
    a_fund().check_person(purpose=THERAPY, client_group=ClientGroup.SURVIVOR, area=UNKNOWN)


def test_a_fund_for_therapy_refuses_training() -> None:
    with pytest.raises(NotForThisPurpose):
        a_fund().check_person(purpose=TRAINING, client_group=None, area=GWENT)


def test_areas_of_both_kinds_add_up() -> None:
    terms = Terms(purpose=THERAPY, police_force_areas=frozenset({"gwent"}), local_authorities=frozenset({"W06000015"}))
    fund = a_fund(terms=(terms,))
    for area in (GWENT, Area(police_force_area="south_wales", local_authority="W06000015")):
        fund.check_person(purpose=THERAPY, client_group=ClientGroup.FAMILY, area=area)
    elsewhere = Area(police_force_area="south_wales", local_authority="W06000012")
    with pytest.raises(OutsideArea):
        fund.check_person(purpose=THERAPY, client_group=ClientGroup.FAMILY, area=elsewhere)


def test_a_missing_local_authority_is_to_be_confirmed_when_the_fund_is_for_some() -> None:
    terms = Terms(purpose=THERAPY, local_authorities=frozenset({NEWPORT}))
    with pytest.raises(AreaToBeConfirmed):
        a_fund(terms=(terms,)).check_person(purpose=THERAPY, client_group=ClientGroup.FAMILY, area=GWENT)


def test_both_dates_of_a_fund_count() -> None:
    fund = a_fund(starts_on=TODAY, ends_on=TODAY)
    assert fund.is_open(on=TODAY)
    fund.check_open(on=TODAY)


@pytest.mark.parametrize("on", [date(2026, 11, 22), date(2026, 11, 24)])
def test_nothing_is_committed_outside_a_funds_dates(on: date) -> None:
    fund = a_fund(starts_on=TODAY, ends_on=TODAY)
    with pytest.raises(NotOpen):
        fund.commit(pence=1, on=on)
    assert (fund.available_pence, fund.committed_pence) == (1_000_00, 0)


def test_nothing_is_drawn_after_a_funds_end() -> None:
    fund = a_fund(ends_on=TODAY)
    fund.commit(pence=100, on=TODAY)
    with pytest.raises(NotOpen):
        fund.draw_down(pence=100, on=date(2026, 11, 24))


def test_what_was_committed_can_be_released_after_the_end() -> None:
    fund = a_fund(100, ends_on=TODAY)
    fund.commit(pence=100, on=TODAY)
    fund.release(pence=100)
    assert (fund.available_pence, fund.committed_pence) == (100, 0)


def test_a_fund_is_spent_to_the_last_penny_and_not_beyond() -> None:
    fund = a_fund(100)
    fund.commit(pence=100, on=TODAY)
    with pytest.raises(NoMoney, match=r"£0\.00 available, not £0\.01"):
        fund.commit(pence=1, on=TODAY)


@pytest.mark.parametrize("pence", [0, -5])
def test_only_an_amount_above_nothing_is_committed(pence: int) -> None:
    with pytest.raises(NoMoney):
        a_fund().commit(pence=pence, on=TODAY)


@pytest.mark.parametrize("pence", [0, -5, 51])
def test_no_more_is_drawn_or_released_than_was_committed(pence: int) -> None:
    fund = a_fund()
    fund.commit(pence=50, on=TODAY)
    with pytest.raises(MoreThanCommitted):
        fund.draw_down(pence=pence, on=TODAY)
    with pytest.raises(MoreThanCommitted):
        fund.release(pence=pence)


def test_a_gift_for_two_people_helps_two_people() -> None:
    gift = a_fund(max_awards=2)
    gift.commit(pence=100, on=TODAY)
    gift.commit(pence=100, on=TODAY)
    with pytest.raises(NoAwardsLeft, match="2 people"):
        gift.commit(pence=100, on=TODAY)


def test_an_award_released_untouched_gives_its_place_back() -> None:
    gift = a_fund(max_awards=1)
    gift.commit(pence=100, on=TODAY)
    gift.release(pence=100, returns_award=True)
    gift.commit(pence=100, on=TODAY)


def test_an_award_that_helped_somebody_keeps_its_place() -> None:
    gift = a_fund(max_awards=1)
    gift.commit(pence=100, on=TODAY)
    gift.draw_down(pence=40, on=TODAY)
    gift.release(pence=60)
    with pytest.raises(NoAwardsLeft):
        gift.commit(pence=60, on=TODAY)


def test_a_fund_can_not_end_before_it_starts() -> None:
    with pytest.raises(EndsBeforeItStarts):
        check_terms(terms=a_fund().terms, starts_on=TODAY, ends_on=date(2026, 11, 22))


def test_each_purpose_of_a_fund_is_named_once() -> None:
    with pytest.raises(PurposeNamedTwice):
        check_terms(terms=a_fund().terms * 2, starts_on=TODAY, ends_on=TODAY)
