"""What a person's screen asks of matching."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from chassis.privacy.one_time_links import hash_in
from contracts.commands.matching import (
    CountStandings,
    GetOfferLink,
    GetStanding,
    ListOffers,
    OfferFacts,
    OfferPage,
    OpenOffer,
    Standing,
    StandingCount,
)
from contracts.vocabulary import (
    LinkState,
)
from services.matching.application.lookup import get_referral
from services.matching.dependencies import Dependencies
from services.matching.domain.offer import Offer, OfferState
from services.matching.domain.referral import Referral
from services.matching.domain.therapist import Therapist
from services.matching.store import matches, offers, referrals, therapists


def list_offers(unit: UnitOfWork[Dependencies], request: ListOffers) -> list[OpenOffer]:
    return [
        OpenOffer(
            offer_id=offer.id,
            referral_id=offer.referral_id,
            therapist_id=offer.therapist_id,
            offered_at=offer.offered_at,
            expires_at=offer.expires_at,
            distance_km=offer.distance_km,
        )
        for offer in offers.open_offers(unit.session, request.therapist_id, request.limit)
    ]


def ask_standing(unit: UnitOfWork[Dependencies], request: GetStanding) -> Standing:
    """Raises UnknownReferral."""
    referral = get_referral(unit, request.referral_id)
    return Standing(
        referral_id=referral.id,
        state=referral.state.value,
        offers_made=referral.offers_made,
        on_hold=referral.is_paused,
        match_id=referral.match_id,
        therapist_id=referral.therapist_id,
        waiting_since=referral.waiting_since,
        waiting_for=referral.waiting_for,
        last_match_id=matches.last_match_of(unit.session, referral.id),
    )


def count_standings(unit: UnitOfWork[Dependencies], request: CountStandings) -> list[StandingCount]:
    return [StandingCount(state=state, referrals=count) for state, count in referrals.count_by_state(unit.session)]


LINK_STATES = {
    OfferState.OPEN: LinkState.OPEN,
    OfferState.ACCEPTED: LinkState.ANSWERED,
    OfferState.DECLINED: LinkState.ANSWERED,
    OfferState.EXPIRED: LinkState.EXPIRED,
    OfferState.WITHDRAWN: LinkState.WITHDRAWN,
}


def open_offer(unit: UnitOfWork[Dependencies], request: GetOfferLink) -> OfferPage:
    """The page of an offer's link. An unknown link gets no more than that it is unknown."""
    token_hash = hash_in(unit.dependencies.keyring, request.sealed)
    offer = offers.find_offer_by_token(unit.session, token_hash) if token_hash else None
    if offer is None:
        return OfferPage(state=LinkState.UNKNOWN)
    state = offer.state_at(unit.now)
    accepted = state is OfferState.ACCEPTED if LINK_STATES[state] is LinkState.ANSWERED else None
    facts = _facts(unit, offer) if state is OfferState.OPEN else None
    return OfferPage(state=LINK_STATES[state], accepted=accepted, facts=facts)


def _facts(unit: UnitOfWork[Dependencies], offer: Offer) -> OfferFacts:
    referral, therapist = _both(unit, offer)
    assert referral.work is not None, "nobody is asked before the assessment"
    interpreted = therapist.needs_interpreter(referral.interpreter_language)
    return OfferFacts(
        client_group=referral.client_group,
        risk_level=referral.risk_level,
        age_band=referral.age_band,
        work=referral.work,
        language=referral.language,
        sessions=offer.sessions,
        distance_km=offer.distance_km,
        session_fee_pence=therapist.session_fee_pence,
        most_pence=referral.own_limit_pence,
        interpreter_language=referral.interpreter_language if interpreted else None,
        subsidy_pence=referral.subsidy_pence_per_session,
        expires_at=offer.expires_at,
    )


def _both(unit: UnitOfWork[Dependencies], offer: Offer) -> tuple[Referral, Therapist]:
    referral = referrals.find_referral(unit.session, offer.referral_id)
    therapist = therapists.find_therapist(unit.session, offer.therapist_id)
    assert referral is not None
    assert therapist is not None
    return referral, therapist
