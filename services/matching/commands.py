"""What a person's screen asks of matching, or tells it to do."""

from __future__ import annotations

from chassis.ports import Refused, Unit
from contracts.commands.matching import (
    AcceptOffer,
    AdmitTherapist,
    AskStanding,
    ChangePlaces,
    CountStandings,
    DeclineOffer,
    Done,
    EndMatch,
    ListOffers,
    Matched,
    OpenOffer,
    ReinstateTherapist,
    Standing,
    StandingCount,
    SuspendTherapist,
)
from contracts.events.matching import OfferDeclined, TherapistAdmitted, TherapistContactChanged
from contracts.vocabulary import MatchEndReason, OfferId, ReferralId, TherapistId
from services.matching import handlers, search, store
from services.matching.domain.offer import NotTheirOffer, Offer, OfferClosed
from services.matching.domain.referral import Referral
from services.matching.domain.therapist import Therapist
from services.matching.tools import Tools


class UnknownTherapist(Refused):
    """There is no such therapist."""


class UnknownReferral(Refused):
    """There is no such referral."""


class UnknownOffer(Refused):
    """There is no such offer, or it was made to another therapist."""


class OfferNoLongerOpen(Refused):
    """The offer was answered, has expired or was taken back."""


class UnknownMatch(Refused):
    """There is no such match."""


class WithdrawAtIntake(Refused):
    """A withdrawal is the client's word, and is made at intake, which stops everything else too."""


class UnknownOutwardCode(Refused):
    """There is no such outward code, so no distance from it can be told."""


def admit_therapist(unit: Unit[Tools], request: AdmitTherapist) -> Done:
    """Raises UnknownOutwardCode."""
    if store.find_therapist(unit.session, request.therapist_id):
        return Done(changed=False)
    point = unit.tools.places.locate(request.outward_code)
    if point is None:
        raise UnknownOutwardCode("This outward code is not known. Please check the therapist's postcode.")
    therapist = Therapist(
        id=request.therapist_id,
        admitted_at=unit.now,
        competence=request.competence,
        client_groups=list(request.client_groups),
        couple_work=request.couple_work,
        outward_code=request.outward_code,
        latitude=point.latitude,
        longitude=point.longitude,
        sessions=request.sessions,
        languages=list(request.languages),
        session_fee_pence=request.session_fee_pence,
        sex=request.sex,
        wheelchair_access=request.wheelchair_access,
        places=request.places,
    )
    unit.session.add(therapist)
    unit.emit(TherapistContactChanged(therapist_id=therapist.id, sealed=request.contact))
    unit.emit(
        TherapistAdmitted(
            therapist_id=therapist.id,
            admitted_at=unit.now,
            competence=therapist.competence,
            outward_code=therapist.outward_code,
        )
    )
    search.serve_waiting_list_soon(unit)
    return Done()


def suspend_therapist(unit: Unit[Tools], request: SuspendTherapist) -> Done:
    """Raises UnknownTherapist."""
    return Done(changed=handlers.suspend(unit, _therapist(unit, request.therapist_id), request.reason))


def reinstate_therapist(unit: Unit[Tools], request: ReinstateTherapist) -> Done:
    """Raises UnknownTherapist."""
    return Done(changed=handlers.reinstate(unit, _therapist(unit, request.therapist_id), request.reason))


def change_places(unit: Unit[Tools], request: ChangePlaces) -> Done:
    """Raises UnknownTherapist."""
    _therapist(unit, request.therapist_id).change_places(places=request.places)
    search.serve_waiting_list_soon(unit)
    return Done()


def accept_offer(unit: Unit[Tools], request: AcceptOffer) -> Matched:
    """Raises UnknownOffer, OfferNoLongerOpen."""
    offer = _answered(unit, request.offer_id, request.therapist_id, accepted=True)
    therapist, referral = _therapist(unit, offer.therapist_id), _referral(unit, offer.referral_id)
    return Matched(match_id=search.match(unit, referral, offer, therapist))


def decline_offer(unit: Unit[Tools], request: DeclineOffer) -> Done:
    """Raises UnknownOffer, OfferNoLongerOpen."""
    offer = _answered(unit, request.offer_id, request.therapist_id, accepted=False)
    search.release_place(unit, offer)
    unit.emit(
        OfferDeclined(
            offer_id=offer.id,
            referral_id=offer.referral_id,
            therapist_id=offer.therapist_id,
            reason=request.reason,
        )
    )
    search.seek(unit, _referral(unit, offer.referral_id))
    return Done()


def end_match(unit: Unit[Tools], request: EndMatch) -> Done:
    """A client who was unhappy gets another therapist. Raises UnknownMatch, WithdrawAtIntake."""
    if request.reason is MatchEndReason.WITHDRAWN:
        raise WithdrawAtIntake("Please withdraw the referral at intake; that ends the match too.")
    match = store.find_match(unit.session, request.match_id)
    if match is None:
        raise UnknownMatch("There is no such match. Please check the identifier.")
    if not search.end_match(unit, match, request.reason):
        return Done(changed=False)
    referral = _referral(unit, match.referral_id)
    if request.reason is MatchEndReason.CLIENT_UNHAPPY:
        referral.seek_another()
        search.seek(unit, referral)
    else:
        referral.ended()
    return Done()


def list_offers(unit: Unit[Tools], request: ListOffers) -> list[OpenOffer]:
    return [
        OpenOffer(
            offer_id=offer.id,
            referral_id=offer.referral_id,
            therapist_id=offer.therapist_id,
            offered_at=offer.offered_at,
            expires_at=offer.expires_at,
            distance_km=offer.distance_km,
        )
        for offer in store.open_offers(unit.session, request.therapist_id, request.limit)
    ]


def ask_standing(unit: Unit[Tools], request: AskStanding) -> Standing:
    """Raises UnknownReferral."""
    referral = _referral(unit, request.referral_id)
    return Standing(
        referral_id=referral.id,
        state=referral.state.value,
        offers_made=referral.offers_made,
        on_hold=referral.on_hold,
        match_id=referral.match_id,
        therapist_id=referral.therapist_id,
        waiting_since=referral.waiting_since,
        waiting_for=referral.waiting_for,
    )


def count_standings(unit: Unit[Tools], request: CountStandings) -> list[StandingCount]:
    return [StandingCount(state=state, referrals=count) for state, count in store.count_by_state(unit.session)]


def _answered(unit: Unit[Tools], offer_id: OfferId, therapist_id: TherapistId, *, accepted: bool) -> Offer:
    offer = store.find_offer(unit.session, offer_id)
    if offer is None:
        raise UnknownOffer("There is no such offer. Please check the link.")
    try:
        offer.answer(therapist_id=therapist_id, accepted=accepted)
    except NotTheirOffer as refusal:
        raise UnknownOffer(str(refusal)) from None
    except OfferClosed as refusal:
        raise OfferNoLongerOpen(str(refusal)) from None
    return offer


def _therapist(unit: Unit[Tools], therapist_id: TherapistId) -> Therapist:
    therapist = store.find_therapist(unit.session, therapist_id)
    if therapist is None:
        raise UnknownTherapist("There is no such therapist. Please check the identifier.")
    return therapist


def _referral(unit: Unit[Tools], referral_id: ReferralId) -> Referral:
    referral = store.find_referral(unit.session, referral_id)
    if referral is None:
        raise UnknownReferral("There is no such referral. Please check the identifier.")
    return referral
