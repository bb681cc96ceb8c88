"""Forgetting an erased referral at matching."""

from __future__ import annotations

from chassis.ports import NotYet, UnitOfWork
from contracts.events.intake import ReferralErased
from contracts.events.matching import ErasureConfirmed
from services.matching.application import pauses
from services.matching.dependencies import Dependencies
from services.matching.domain.referral import State
from services.matching.store import offers, referrals


def forget(unit: UnitOfWork[Dependencies], event: ReferralErased) -> None:
    """Ends the search, an offer and a match, and forgets the client's needs and every offer.

    Which therapist was matched stays, without a person: somebody linked to the client must not be offered to them.
    """
    referral = referrals.find_referral(unit.session, event.referral_id)
    if referral is None:
        raise NotYet("the referral has not been heard of yet")
    if referral.state is not State.ERASED:
        pauses.stop(unit, referral)
        referral.erase()
        offers.drop_offers(unit.session, referral.id)
    unit.emit(ErasureConfirmed(referral_id=referral.id))
