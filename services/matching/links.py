"""The one-time link of an offer: what its page shows, and what the therapist says by it."""

from __future__ import annotations

import structlog

from chassis.ports import Invalid, Refused, UnitOfWork
from chassis.privacy.one_time_links import hash_in, hash_of
from chassis.privacy.opening import open_or_park
from contracts.commands.matching import AcceptOffer, AskOfferLink, DeclineOffer, EndMatch, OfferFacts, OfferPage
from contracts.events.notifications import TherapyReportAccepted
from contracts.events.web import OfferAnswered
from contracts.sealed import OfferAnswer
from contracts.vocabulary import LinkState, MatchEndReason, TherapyReport
from services.matching import commands, store
from services.matching.dependencies import Dependencies
from services.matching.domain.offer import Offer, OfferState
from services.matching.domain.referral import Referral
from services.matching.domain.therapist import Therapist

SAID = {
    OfferState.OPEN: LinkState.OPEN,
    OfferState.ACCEPTED: LinkState.ANSWERED,
    OfferState.DECLINED: LinkState.ANSWERED,
    OfferState.EXPIRED: LinkState.EXPIRED,
    OfferState.WITHDRAWN: LinkState.WITHDRAWN,
}

log = structlog.get_logger()


def open_offer(unit: UnitOfWork[Dependencies], request: AskOfferLink) -> OfferPage:
    """What a link opens. Of one that nobody was given only that it is unknown."""
    token_hash = hash_in(unit.dependencies.keyring, request.sealed)
    offer = store.find_offer_by_token(unit.session, token_hash) if token_hash else None
    if offer is None:
        return OfferPage(state=LinkState.UNKNOWN)
    if offer.is_open and unit.now >= offer.expires_at:
        return OfferPage(state=LinkState.EXPIRED)
    accepted = offer.state is OfferState.ACCEPTED if SAID[offer.state] is LinkState.ANSWERED else None
    return OfferPage(state=SAID[offer.state], accepted=accepted, facts=_facts(unit, offer) if offer.is_open else None)


def take_answer(unit: UnitOfWork[Dependencies], event: OfferAnswered) -> None:
    """Accepts or declines for the therapist whose link it is; says nothing where the offer is open no more.

    Raises Invalid for what can't be opened, or belongs to no offer.
    """
    answer = open_or_park(unit.dependencies.keyring, OfferAnswer, event.sealed)
    offer = store.find_offer_by_token(unit.session, hash_of(answer.token))
    if offer is None:
        raise Invalid("the answer belongs to no offer")
    if not offer.is_open or unit.now >= offer.expires_at:
        return  # the page says what became of it
    try:
        _answer(unit, offer, answer)
    except Refused as refusal:
        log.warning("offer_answer_refused", offer_id=str(offer.id), why=type(refusal).__name__)


def take_therapy_report(unit: UnitOfWork[Dependencies], event: TherapyReportAccepted) -> None:
    """A therapist says that the work has ended: as if a person had recorded it. What else they say billing keeps.

    Raises Invalid for a match that there isn't, and for the client's own word, which no therapist says for them.
    """
    if event.what is not TherapyReport.ENDED or event.reason is None:
        return
    if event.reason is MatchEndReason.WITHDRAWN:
        raise Invalid("a therapist doesn't withdraw a client")
    match = store.find_match(unit.session, event.match_id)
    if match is None:
        raise Invalid("the report belongs to no match")
    if match.is_newly_reported(at=event.reported_at):
        commands.end_match(unit, EndMatch(match_id=match.id, reason=event.reason))


def _answer(unit: UnitOfWork[Dependencies], offer: Offer, answer: OfferAnswer) -> None:
    """Raises Refused."""
    if answer.accepted:
        commands.accept_offer(unit, AcceptOffer(offer_id=offer.id, therapist_id=offer.therapist_id))
        return
    if answer.reason is None:
        raise Invalid("an offer is declined with a reason")
    declined = DeclineOffer(
        offer_id=offer.id, therapist_id=offer.therapist_id, reason=answer.reason, until=answer.until
    )
    commands.decline_offer(unit, declined)


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
    referral = store.find_referral(unit.session, offer.referral_id)
    therapist = store.find_therapist(unit.session, offer.therapist_id)
    assert referral is not None
    assert therapist is not None
    return referral, therapist
