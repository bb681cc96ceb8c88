"""What becomes of an offer that is not accepted: it is withdrawn, or left to expire, and its capacity is free again."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.matching import (
    OfferWithdrawn,
    TherapistNotAnswering,
)
from contracts.vocabulary import (
    OfferWithdrawalReason,
)
from services.matching.application.openings import open_to_waiting_list
from services.matching.application.timer_names import EXPIRE_OFFER
from services.matching.dependencies import Dependencies
from services.matching.domain.offer import Offer
from services.matching.store import therapists


def withdraw_offer(unit: UnitOfWork[Dependencies], offer: Offer, reason: OfferWithdrawalReason) -> None:
    """Withdraws an open offer; does nothing to one that was answered or has expired."""
    if not offer.withdraw():
        return
    release_capacity(unit, offer)
    unit.emit(
        OfferWithdrawn(offer_id=offer.id, referral_id=offer.referral_id, therapist_id=offer.therapist_id, reason=reason)
    )


def release_capacity(unit: UnitOfWork[Dependencies], offer: Offer, *, keeps_room: bool = True) -> None:
    """The capacity that the offer reserved is free again, unless the therapist says that they have no room."""
    unit.cancel_timer(EXPIRE_OFFER, offer.id)
    therapist = therapists.find_therapist(unit.session, offer.therapist_id)
    if therapist is not None:
        therapist.release_reserved()
        if not keeps_room:
            therapist.report_no_room()
        open_to_waiting_list(unit, therapist)


def record_unanswered(unit: UnitOfWork[Dependencies], offer: Offer) -> None:
    """An offer expired. After some in a row the office is notified, and the therapist is asked last from then on."""
    therapist = therapists.find_therapist(unit.session, offer.therapist_id)
    if therapist is not None and therapist.record_unanswered(at_most=unit.dependencies.settings.unanswered_offers):
        unit.emit(TherapistNotAnswering(therapist_id=therapist.id, offers_expired=therapist.expired_in_a_row))
