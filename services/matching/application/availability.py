"""Whether a therapist is asked at all: suspended and reinstated, away and back."""

from __future__ import annotations

from datetime import date

from chassis.ports import UnitOfWork
from contracts.events.matching import (
    TherapistReinstated,
    TherapistSuspended,
)
from contracts.vocabulary import (
    OfferWithdrawalReason,
    SuspensionReason,
)
from services.matching.application import offer_endings, openings, search
from services.matching.application.lookup import expect_referral
from services.matching.application.timer_names import COME_BACK
from services.matching.dependencies import Dependencies
from services.matching.domain.days import start_of
from services.matching.domain.therapist import Therapist
from services.matching.store import offers


def mark_away(unit: UnitOfWork[Dependencies], therapist: Therapist, until: date) -> None:
    """No new offers before that day in London. Open offers stay open."""
    therapist.go_away(until=until)
    unit.set_timer(COME_BACK, therapist.id, start_of(until))


def suspend(unit: UnitOfWork[Dependencies], therapist: Therapist, reason: SuspensionReason) -> bool:
    """No new offers from now on; open ones are withdrawn and others are asked. False if suspended for it before."""
    if not therapist.suspend(reason=reason):
        return False
    unit.emit(TherapistSuspended(therapist_id=therapist.id, reason=reason))
    for offer in offers.open_offers(unit.session, therapist.id):
        referral = expect_referral(unit, offer.referral_id)
        offer_endings.withdraw_offer(unit, offer, OfferWithdrawalReason.THERAPIST_SUSPENDED)
        referral.resume_search()
        search.offer_next(unit, referral)
    return True


def reinstate(unit: UnitOfWork[Dependencies], therapist: Therapist, reason: SuspensionReason) -> bool:
    """False if the therapist was not suspended for this."""
    if not therapist.reinstate(reason=reason):
        return False
    unit.emit(TherapistReinstated(therapist_id=therapist.id, reason=reason))
    openings.open_to_waiting_list(unit, therapist)
    return True
