"""Forgetting an erased referral at matching."""

from __future__ import annotations

from chassis.ports import NotYet, UnitOfWork
from contracts.events.intake import ReferralErased
from contracts.events.matching import ErasureConfirmed
from services.matching import search, store
from services.matching.dependencies import Dependencies
from services.matching.domain.referral import State


def forget(unit: UnitOfWork[Dependencies], event: ReferralErased) -> None:
    """Ends what the search had come to, and forgets what was asked and every offer.

    Which therapist was matched stays, without a person to it: somebody linked to the client must not be sent there.
    """
    referral = store.find_referral(unit.session, event.referral_id)
    if referral is None:
        raise NotYet("the referral has not been heard of yet")
    if referral.state is not State.ERASED:
        search.stop(unit, referral)
        referral.erase()
        store.drop_offers(unit.session, referral.id)
    unit.emit(ErasureConfirmed(referral_id=referral.id))
