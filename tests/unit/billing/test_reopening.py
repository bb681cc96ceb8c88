"""A referral that was withdrawn as a duplicate and is none: its subsidy is decided as if nothing had been said."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from contracts.events.intake import ReferralReopened, ReferralWithdrawn
from contracts.vocabulary import ReopeningReason, WithdrawalReason
from services.billing.handlers import referrals
from services.billing.store import referrals as store
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


def test_a_bare_message_is_taken_until_something_numbered_is_known(bench: Bench) -> None:
    bare, asked = 0, referral(fee_ceiling_pence=10_00)
    id_ = asked.referral_id

    def ceiling() -> int | None:
        with bench.database.reading() as unit:
            found = store.find_referral(unit.session, id_)
            return found.fee_ceiling_pence if found else None

    bench.hear(referrals.note_referral, asked, sequence=bare)
    for number, pence, known in ((bare, 20_00, 20_00), (4, 30_00, 30_00), (bare, 40_00, 30_00), (3, 50_00, 30_00)):
        bench.hear(referrals.note_referral, referral(id_, fee_ceiling_pence=pence), sequence=number)
        assert ceiling() == known
