"""What a person tells matching to do."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from contracts.commands.matching import (
    AcceptOffer,
    AdmitTherapist,
    ChangePlaces,
    ChangeTherapist,
    DeclineOffer,
    Done,
    EndMatch,
    Matched,
    ReinstateTherapist,
    SuspendTherapist,
    UndoMatchEnd,
)
from contracts.events.matching import TherapistAdmitted, TherapistContactChanged, TherapistFeeChanged
from contracts.vocabulary import MatchEndReason
from services.matching.application import answers, availability, match_lifecycle, openings, parting, search
from services.matching.application.lookup import get_referral, get_therapist
from services.matching.dependencies import Dependencies
from services.matching.domain.referral import State
from services.matching.domain.therapist import Therapist
from services.matching.errors import (
    AgesTheWrongWayRound,
    CannotUndo,
    UnknownMatch,
    UnknownOutwardCode,
    WithdrawAtIntake,
)
from services.matching.store import matches, offers, referrals, therapists

OVER = frozenset({State.ENDED, State.STOPPED, State.ERASED})
"""States in which nothing more happens for a referral."""


def admit_therapist(unit: UnitOfWork[Dependencies], request: AdmitTherapist) -> Done:
    """Raises UnknownOutwardCode, AgesTheWrongWayRound."""
    if therapists.find_new_therapist(unit.session, request.therapist_id):
        return Done(changed=False)
    point = unit.dependencies.locations.locate(request.outward_code)
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
    therapists.index_therapist(unit.session, therapist)
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
    openings.open_to_waiting_list(unit, therapist)
    return Done()


def change_therapist(unit: UnitOfWork[Dependencies], request: ChangeTherapist) -> Done:
    """The change counts at once: for messages still to be sent, for open offers, and for the waiting list.

    A fee that was agreed with a match stays. Raises UnknownTherapist, AgesTheWrongWayRound.
    """
    therapist = get_therapist(unit, request.therapist_id)
    if request.session_fee_pence not in (None, therapist.session_fee_pence):
        unit.emit(TherapistFeeChanged(therapist_id=therapist.id, session_fee_pence=request.session_fee_pence))
    for name in ("session_fee_pence", "works_with_interpreters", "young_from_years", "young_to_years"):
        if getattr(request, name) is not None:
            setattr(therapist, name, getattr(request, name))
    if request.languages is not None:
        therapist.languages = list(request.languages)
        therapists.index_therapist(unit.session, therapist)
    _refuse_ages_the_wrong_way_round(therapist)
    if request.contact is not None:
        unit.emit(TherapistContactChanged(therapist_id=therapist.id, sealed=request.contact))
    unit.record_audit(
        AuditAction.THERAPIST_CHANGED, who=unit.actor.who, subject_id=therapist.id, reason=request.reason.value
    )
    search.review_offers_of(unit, therapist)
    openings.open_to_waiting_list(unit, therapist)
    return Done()


def suspend_therapist(unit: UnitOfWork[Dependencies], request: SuspendTherapist) -> Done:
    """Raises UnknownTherapist."""
    return Done(changed=availability.suspend(unit, get_therapist(unit, request.therapist_id), request.reason))


def reinstate_therapist(unit: UnitOfWork[Dependencies], request: ReinstateTherapist) -> Done:
    """Raises UnknownTherapist."""
    return Done(changed=availability.reinstate(unit, get_therapist(unit, request.therapist_id), request.reason))


def change_places(unit: UnitOfWork[Dependencies], request: ChangePlaces) -> Done:
    """Raises UnknownTherapist."""
    therapist = get_therapist(unit, request.therapist_id)
    therapist.change_places(places=request.places)
    openings.open_to_waiting_list(unit, therapist)
    return Done()


def accept_offer(unit: UnitOfWork[Dependencies], request: AcceptOffer) -> Matched:
    """Raises UnknownOffer, OfferNoLongerOpen."""
    return Matched(match_id=answers.accept(unit, request.offer_id, request.therapist_id))


def decline_offer(unit: UnitOfWork[Dependencies], request: DeclineOffer) -> Done:
    """Raises UnknownOffer, OfferNoLongerOpen, AwayUntilWhen."""
    answers.decline(unit, request.offer_id, request.therapist_id, request.reason, away_until=request.until)
    return Done()


def end_match(unit: UnitOfWork[Dependencies], request: EndMatch) -> Done:
    """A client who was unhappy gets another therapist. Raises UnknownMatch, WithdrawAtIntake."""
    if request.reason is MatchEndReason.WITHDRAWN:
        raise WithdrawAtIntake("Please withdraw the referral at intake; that ends the match too.")
    match = matches.find_match(unit.session, request.match_id)
    if match is None:
        raise UnknownMatch("There is no such match. Please check the identifier.")
    return Done(changed=parting.part(unit, match, request.reason))


def undo_match_end(unit: UnitOfWork[Dependencies], request: UndoMatchEnd) -> Done:
    """Client and therapist go on as if they had never parted. Raises UnknownMatch, CannotUndo."""
    match = matches.find_match(unit.session, request.match_id)
    if match is None:
        raise UnknownMatch("There is no such match. Please check the identifier.")
    if match.ended_at is None:
        return Done(changed=False)
    referral = get_referral(unit, match.referral_id)
    if match.reason is MatchEndReason.WITHDRAWN or referral.state in (State.STOPPED, State.ERASED):
        raise CannotUndo("The request itself was withdrawn. Please take it up again at intake.")
    if offers.was_another_asked_since(unit.session, match):
        raise CannotUndo(
            "Another therapist has been asked since. If the client wants to go on with the one before, please withdraw "
            "the request, take it up again at intake, and tell both therapists."
        )
    if any(other.state not in OVER for other in referrals.others_of_person(unit.session, referral.id)):
        raise CannotUndo("The client has asked again since. Please go on with that newer request.")
    match_lifecycle.undo_end(unit, match, referral, request.reason)
    unit.record_audit(
        AuditAction.MATCH_END_UNDONE, who=unit.actor.who, subject_id=referral.id, reason=request.reason.value
    )
    return Done()


def _refuse_ages_the_wrong_way_round(therapist: Therapist) -> None:
    if therapist.young_from_years > therapist.young_to_years:
        raise AgesTheWrongWayRound("The youngest age is above the oldest. Please check the two.")
