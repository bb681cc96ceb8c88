"""Forgetting an erased referral in the books, as far as the law on accounts allows."""

from __future__ import annotations

from contracts.events.billing import ErasureConfirmed
from contracts.events.intake import ReferralErased
from services.billing.application.lookup import expect_referral
from services.billing.application.waiting_list import leave_waiting_list
from services.billing.dependencies import BillingUnit


def forget(unit: BillingUnit, event: ReferralErased) -> None:
    """Forgets where the client lives, what they could pay, and which referral of theirs came before this one.

    Invoices, awards, sessions and journals stay; they name nobody.
    """
    referral = expect_referral(unit, event.referral_id)
    leave_waiting_list(unit, referral.id)
    referral.forget(sequence=unit.sequence)
    unit.emit(ErasureConfirmed(referral_id=referral.id))
