"""A referral that was withdrawn as a duplicate and is none: its subsidy is decided as if nothing had been said."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from contracts.events.intake import ReferralReopened, ReferralWithdrawn
from contracts.vocabulary import ReopeningReason, WithdrawalReason
from services.billing.handlers import referrals
from tests.unit.billing.making import Bench, assessed, referral


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_reopened_referral_gets_its_subsidy_in_any_order(bench: Bench, order: tuple[int, ...]) -> None:
    bench.open_fund()
    asked = referral()
    id_ = asked.referral_id
    bench.hear(referrals.note_referral, asked, sequence=1)
    said: list[tuple[Any, Any]] = [
        (referrals.withdraw, ReferralWithdrawn(referral_id=id_, reason=WithdrawalReason.DUPLICATE)),
        (referrals.reopen, ReferralReopened(referral_id=id_, reason=ReopeningReason.UNMERGED)),
        (referrals.note_assessment, assessed(id_)),
    ]
    for place in order:
        bench.hear(*said[place], sequence=place + 2)
        bench.settle()
    (fund,) = bench.funds()
    assert fund.committed_pence == 400_00
