"""What is left in the books of a referral that was erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.ports import NotYet
from contracts.event import Event
from contracts.events.billing import ErasureConfirmed
from contracts.events.intake import ReferralErased
from contracts.vocabulary import ReferralId
from services.billing.store import awards, invoices, journals, referrals, waiting_list
from tests.unit.billing.making import HANDLERS, Bench, assessed, matched, referral, withdrawn


def erased(referral_id: ReferralId) -> ReferralErased:
    return ReferralErased(referral_id=referral_id)


def left_of(bench: Bench, referral_id: ReferralId) -> tuple[Any, ...]:
    with bench.database.reading() as unit:
        found = referrals.get_referral(unit.session, referral_id)
        waiting = waiting_list.find_entry(unit.session, referral_id)
        return found.police_force_area, found.local_authority, found.fee_ceiling_pence, waiting


def test_where_they_live_and_what_they_could_pay_is_forgotten(bench: Bench) -> None:
    request = referral(subsidy_requested=True, fee_ceiling_pence=10_00)
    bench.told(request, assessed(request.referral_id))
    assert left_of(bench, request.referral_id)[3], "no fund can pay, so there is a place on the waiting list"
    bench.told(erased(request.referral_id))
    assert left_of(bench, request.referral_id) == (None, None, None, None)
    assert bench.emitted(ErasureConfirmed) == [ErasureConfirmed(referral_id=request.referral_id)]


def test_the_books_stay_as_they_were(bench: Bench) -> None:
    fund = bench.open_fund()
    request = referral(subsidy_requested=True, fee_ceiling_pence=10_00)
    match = matched(request.referral_id)
    bench.told(request, assessed(request.referral_id), match)
    before = bench.fund(fund.fund_id)
    bench.told(erased(request.referral_id))
    assert bench.fund(fund.fund_id) == before
    with bench.database.reading() as unit:
        assert invoices.find_fee_invoice(unit.session, match.match_id)
        assert journals.ledger_totals(unit.session).is_balanced


def test_an_erasure_that_overtakes_the_request_waits_for_it(bench: Bench) -> None:
    with pytest.raises(NotYet):
        bench.told(erased(referral().referral_id))


@settings(max_examples=25)
@given(order=st.permutations(range(6)))
def test_nothing_brings_it_back_whatever_the_order(order: Sequence[int]) -> None:
    bench, request = Bench(), referral(subsidy_requested=True, fee_ceiling_pence=10_00)
    bench.open_fund()
    id_ = request.referral_id
    story: list[tuple[Event, int]] = [
        (request, 1),
        (referral(id_, subsidy_requested=True, fee_ceiling_pence=20_00), 4),
        (assessed(id_), 2),
        (matched(id_), 1),
        (withdrawn(id_), 5),
        (erased(id_), 6),
    ]
    waiting = [story[index] for index in order] + story[:-1]
    while waiting:
        again = []
        for event, sequence in waiting:
            try:
                bench.hear(HANDLERS[type(event)], event, sequence=sequence)
            except NotYet:
                again.append((event, sequence))
        waiting = again
    assert left_of(bench, id_) == (None, None, None, None)
    with bench.database.reading() as unit:
        assert awards.find_held_award(unit.session, id_) is None
