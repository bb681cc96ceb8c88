"""What a person's screen asks of matching, or tells it to do."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import Refused, UnitOfWork
from contracts.commands.matching import (
    AcceptOffer,
    AdmitTherapist,
    AskStanding,
    ChangePlaces,
    ChangeTherapist,
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
    UndoMatchEnd,
)
from contracts.events.matching import OfferDeclined, TherapistAdmitted, TherapistContactChanged, TherapistFeeChanged
from contracts.london import day_of
from contracts.vocabulary import DeclineReason, MatchEndReason, OfferId, ReferralId, TherapistId
from services.matching import handlers, search, search_store, store
from services.matching.dependencies import Dependencies
from services.matching.domain.offer import NotTheirOffer, Offer, OfferClosed
from services.matching.domain.referral import Referral, State
from services.matching.domain.therapist import Therapist

OVER = frozenset({State.ENDED, State.STOPPED, State.ERASED})
"""States in which nothing more happens for a referral."""


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


class AwayUntilWhen(Refused):
    """Who is away says until when, so that they are not asked before."""


class CannotUndo(Refused):
    """Something has been built on the end of the match; the message says what to do instead."""


class AgesTheWrongWayRound(Refused):
    """The youngest of the young people whom a therapist sees is older than the oldest."""


def admit_therapist(unit: UnitOfWork[Dependencies], request: AdmitTherapist) -> Done:
    """Raises UnknownOutwardCode, AgesTheWrongWayRound."""
    if store.find_new_therapist(unit.session, request.therapist_id):
        return Done(changed=False)
    point = unit.dependencies.places.locate(request.outward_code)
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
        works_with_interpreters=request.works_with_interpreters,
        young_from_years=request.young_from_years,
        young_to_years=request.young_to_years,
    )
    _refuse_ages_the_wrong_way_round(therapist)
    unit.session.add(therapist)
    search_store.index_therapist(unit.session, therapist)
    unit.emit(TherapistContactChanged(therapist_id=therapist.id, sealed=request.contact))
    unit.emit(
        TherapistAdmitted(
            therapist_id=therapist.id,
            admitted_at=unit.now,
            competence=therapist.competence,
            outward_code=therapist.outward_code,
            session_fee_pence=therapist.session_fee_pence,
        )
    )
    search.open_to_waiting_list(unit, therapist)
    return Done()


def change_therapist(unit: UnitOfWork[Dependencies], request: ChangeTherapist) -> Done:
    """What is new holds at once: for letters still to be sent, for open offers, and for whoever waits.

    A fee that was agreed with a match stays. Raises UnknownTherapist, AgesTheWrongWayRound.
    """
    therapist = _therapist(unit, request.therapist_id)
    if request.session_fee_pence not in (None, therapist.session_fee_pence):
        unit.emit(TherapistFeeChanged(therapist_id=therapist.id, session_fee_pence=request.session_fee_pence))
    for name in ("session_fee_pence", "works_with_interpreters", "young_from_years", "young_to_years"):
        if getattr(request, name) is not None:
            setattr(therapist, name, getattr(request, name))
    if request.languages is not None:
        therapist.languages = list(request.languages)
        search_store.index_therapist(unit.session, therapist)
    _refuse_ages_the_wrong_way_round(therapist)
    if request.contact is not None:
        unit.emit(TherapistContactChanged(therapist_id=therapist.id, sealed=request.contact))
    unit.record_audit(
        AuditAction.THERAPIST_CHANGED, who=request.staff, subject_id=therapist.id, reason=request.reason.value
    )
    search.look_again_at_offers(unit, therapist)
    search.open_to_waiting_list(unit, therapist)
    return Done()


def suspend_therapist(unit: UnitOfWork[Dependencies], request: SuspendTherapist) -> Done:
    """Raises UnknownTherapist."""
    return Done(changed=handlers.suspend(unit, _therapist(unit, request.therapist_id), request.reason))


def reinstate_therapist(unit: UnitOfWork[Dependencies], request: ReinstateTherapist) -> Done:
    """Raises UnknownTherapist."""
    return Done(changed=handlers.reinstate(unit, _therapist(unit, request.therapist_id), request.reason))


def change_places(unit: UnitOfWork[Dependencies], request: ChangePlaces) -> Done:
    """Raises UnknownTherapist."""
    therapist = _therapist(unit, request.therapist_id)
    therapist.change_places(places=request.places)
    search.open_to_waiting_list(unit, therapist)
    return Done()


def accept_offer(unit: UnitOfWork[Dependencies], request: AcceptOffer) -> Matched:
    """Raises UnknownOffer, OfferNoLongerOpen."""
    offer = _answered(unit, request.offer_id, request.therapist_id, accepted=True)
    therapist, referral = _therapist(unit, offer.therapist_id), _referral(unit, offer.referral_id)
    return Matched(match_id=search.match(unit, referral, offer, therapist))


def decline_offer(unit: UnitOfWork[Dependencies], request: DeclineOffer) -> Done:
    """Raises UnknownOffer, OfferNoLongerOpen, AwayUntilWhen."""
    until = request.until if request.reason is DeclineReason.AWAY else None
    if request.reason is DeclineReason.AWAY and (until is None or until <= day_of(unit.now)):
        raise AwayUntilWhen("Please say until when you are away: the day from which we can ask you again.")
    offer = _answered(unit, request.offer_id, request.therapist_id, accepted=False)
    therapist = _therapist(unit, offer.therapist_id)
    therapist.answered()
    if until is not None:
        search.send_away(unit, therapist, until)
    search.release_place(unit, offer, keeps_room=request.reason is not DeclineReason.NO_ROOM)
    unit.emit(
        OfferDeclined(
            offer_id=offer.id,
            referral_id=offer.referral_id,
            therapist_id=offer.therapist_id,
            reason=request.reason,
        )
    )
    referral = _referral(unit, offer.referral_id)
    referral.seek_on()
    search.seek(unit, referral)
    return Done()


def end_match(unit: UnitOfWork[Dependencies], request: EndMatch) -> Done:
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


def undo_match_end(unit: UnitOfWork[Dependencies], request: UndoMatchEnd) -> Done:
    """Client and therapist go on as if they had never parted. Raises UnknownMatch, CannotUndo."""
    match = store.find_match(unit.session, request.match_id)
    if match is None:
        raise UnknownMatch("There is no such match. Please check the identifier.")
    if match.ended_at is None:
        return Done(changed=False)
    referral = _referral(unit, match.referral_id)
    if match.reason is MatchEndReason.WITHDRAWN or referral.state in (State.STOPPED, State.ERASED):
        raise CannotUndo("The request itself was withdrawn. Please take it up again at intake.")
    if store.was_another_asked_since(unit.session, match):
        raise CannotUndo(
            "Another therapist has been asked since. If the client wants to go on with the one before, please withdraw "
            "the request, take it up again at intake, and tell both therapists."
        )
    if any(one.state not in OVER for one in store.others_of_person(unit.session, referral.id)):
        raise CannotUndo("The client has asked again since. Please go on with that newer request.")
    search.undo_end(unit, match, referral, request.reason)
    unit.record_audit(
        AuditAction.MATCH_END_UNDONE, who=request.staff, subject_id=referral.id, reason=request.reason.value
    )
    return Done()


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
        for offer in store.open_offers(unit.session, request.therapist_id, request.limit)
    ]


def ask_standing(unit: UnitOfWork[Dependencies], request: AskStanding) -> Standing:
    """Raises UnknownReferral."""
    referral = _referral(unit, request.referral_id)
    return Standing(
        referral_id=referral.id,
        state=referral.state.value,
        offers_made=referral.offers_made,
        on_hold=referral.is_paused,
        match_id=referral.match_id,
        therapist_id=referral.therapist_id,
        waiting_since=referral.waiting_since,
        waiting_for=referral.waiting_for,
        last_match_id=store.last_match_of(unit.session, referral.id),
    )


def count_standings(unit: UnitOfWork[Dependencies], request: CountStandings) -> list[StandingCount]:
    return [StandingCount(state=state, referrals=count) for state, count in store.count_by_state(unit.session)]


def _answered(unit: UnitOfWork[Dependencies], offer_id: OfferId, therapist_id: TherapistId, *, accepted: bool) -> Offer:
    offer = store.find_offer(unit.session, offer_id)
    if offer is None:
        raise UnknownOffer("There is no such offer. Please check the link.")
    try:
        offer.answer(therapist_id=therapist_id, accepted=accepted, at=unit.now)
    except NotTheirOffer as refusal:
        raise UnknownOffer(str(refusal)) from None
    except OfferClosed as refusal:
        raise OfferNoLongerOpen(str(refusal)) from None
    return offer


def _refuse_ages_the_wrong_way_round(therapist: Therapist) -> None:
    if therapist.young_from_years > therapist.young_to_years:
        raise AgesTheWrongWayRound("The youngest age is above the oldest. Please check the two.")


def _therapist(unit: UnitOfWork[Dependencies], therapist_id: TherapistId) -> Therapist:
    therapist = store.find_therapist(unit.session, therapist_id)
    if therapist is None:
        raise UnknownTherapist("There is no such therapist. Please check the identifier.")
    return therapist


def _referral(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    referral = store.find_referral(unit.session, referral_id)
    if referral is None:
        raise UnknownReferral("There is no such referral. Please check the identifier.")
    return referral
