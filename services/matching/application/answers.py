"""A therapist's answer to an offer, whether the office enters it or it comes by the offer's link."""

from __future__ import annotations

from datetime import date

from chassis.ports import UnitOfWork
from contracts.events.matching import OfferDeclined
from contracts.london import day_of
from contracts.vocabulary import DeclineReason, MatchId, OfferId, TherapistId
from services.matching.application import availability, match_lifecycle, offer_endings, search
from services.matching.application.lookup import get_referral, get_therapist
from services.matching.dependencies import Dependencies
from services.matching.domain.offer import Offer
from services.matching.errors import AwayUntilWhen, UnknownOffer
from services.matching.store import offers


def accept(unit: UnitOfWork[Dependencies], offer_id: OfferId, therapist_id: TherapistId) -> MatchId:
    """Raises UnknownOffer, OfferNoLongerOpen."""
    offer = _answered(unit, offer_id, therapist_id, accepted=True)
    therapist, referral = get_therapist(unit, offer.therapist_id), get_referral(unit, offer.referral_id)
    return match_lifecycle.match(unit, referral, offer, therapist)


def decline(
    unit: UnitOfWork[Dependencies],
    offer_id: OfferId,
    therapist_id: TherapistId,
    reason: DeclineReason,
    *,
    away_until: date | None,
) -> None:
    """The next best therapist is asked. `away_until` counts for the reason `away` alone.

    Raises UnknownOffer, OfferNoLongerOpen, AwayUntilWhen.
    """
    until = away_until if reason is DeclineReason.AWAY else None
    if reason is DeclineReason.AWAY and (until is None or until <= day_of(unit.now)):
        raise AwayUntilWhen("Please say until when you are away: the day from which we can ask you again.")
    offer = _answered(unit, offer_id, therapist_id, accepted=False)
    therapist = get_therapist(unit, offer.therapist_id)
    therapist.record_answer()
    if until is not None:
        availability.mark_away(unit, therapist, until)
    offer_endings.release_capacity(unit, offer, keeps_room=reason is not DeclineReason.NO_ROOM)
    unit.emit(
        OfferDeclined(
            offer_id=offer.id,
            referral_id=offer.referral_id,
            therapist_id=offer.therapist_id,
            reason=reason,
        )
    )
    referral = get_referral(unit, offer.referral_id)
    referral.resume_search()
    search.offer_next(unit, referral)


def _answered(unit: UnitOfWork[Dependencies], offer_id: OfferId, therapist_id: TherapistId, *, accepted: bool) -> Offer:
    offer = offers.find_offer(unit.session, offer_id)
    if offer is None:
        raise UnknownOffer("There is no such offer. Please check the link.")
    offer.answer(therapist_id=therapist_id, accepted=accepted, at=unit.now)
    return offer
