"""Candidates explained, a therapist chosen by a person, and the lists that go with both."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from contracts.commands.matching import (
    CandidatesExplained,
    ClientSeen,
    ConsideredTherapist,
    ExclusionView,
    ExplainCandidates,
    GetOutline,
    GetTherapist,
    GetWorkOfTherapist,
    ListTherapists,
    ListWaiting,
    Offered,
    OfferMade,
    OfferToTherapist,
    Outline,
    Position,
    RelaxationView,
    TherapistView,
    WaitingReferral,
    WorkOfTherapist,
)
from contracts.vocabulary import ClientGroup, SuspensionReason
from services.matching.application.explaining import explain, offer_by_choice
from services.matching.application.lookup import NO_SUCH_THERAPIST, get_referral, get_therapist
from services.matching.dependencies import Dependencies
from services.matching.domain.explanation import Considered, gained
from services.matching.domain.locations import Point
from services.matching.domain.referral import Referral
from services.matching.domain.therapist import Therapist
from services.matching.errors import UnknownTherapist
from services.matching.store import matches, offers, therapists, waiting_list


def explain_candidates(unit: UnitOfWork[Dependencies], request: ExplainCandidates) -> CandidatesExplained:
    """Raises UnknownReferral, NotSearching."""
    referral = get_referral(unit, request.referral_id)
    found = explain(unit, referral)
    candidates = sum(1 for one in found if one.candidate)
    shown = found[: request.limit]
    return CandidatesExplained(
        client_at=_position(referral.point),
        considered=tuple(_view(one, rank, referral) for rank, one in enumerate(shown, start=1)),
        candidates=candidates,
        others=len(found) - candidates,
        what_if=tuple(RelaxationView(relaxation=what, more=more) for what, more in gained(found, referral).items()),
    )


def offer_to_therapist(unit: UnitOfWork[Dependencies], request: OfferToTherapist) -> Offered:
    """Raises UnknownReferral, UnknownTherapist, NotSearching, SomebodyElseIsAsked, CannotBeAsked."""
    referral, therapist = get_referral(unit, request.referral_id), get_therapist(unit, request.therapist_id)
    offer_by_choice(unit, referral, therapist, instead_of=request.instead_of)
    why = request.reason.value
    unit.record_audit(AuditAction.THERAPIST_CHOSEN, who=unit.actor.who, subject_id=referral.id, reason=why)
    offer = offers.open_offer_of(unit.session, referral.id)
    assert offer is not None, "it was just made"
    return Offered(offer_id=offer.id)


def list_therapists(unit: UnitOfWork[Dependencies], request: ListTherapists) -> list[TherapistView]:
    found = therapists.page_of_therapists(unit.session, request)
    clients = matches.count_live(unit.session, [therapist.id for therapist in found])
    return [therapist_view(therapist, clients=clients.get(therapist.id, 0)) for therapist in found]


def show_therapist(unit: UnitOfWork[Dependencies], request: GetTherapist) -> TherapistView:
    """Raises UnknownTherapist."""
    found = therapists.read_therapist(unit.session, request.therapist_id)
    if found is None:
        raise UnknownTherapist(NO_SUCH_THERAPIST)
    return therapist_view(found)


def show_outline(unit: UnitOfWork[Dependencies], request: GetOutline) -> Outline:
    return Outline(
        positions=tuple(Position(latitude=north, longitude=east) for north, east in unit.dependencies.locations.outline)
    )


def list_waiting(unit: UnitOfWork[Dependencies], request: ListWaiting) -> list[WaitingReferral]:
    return [
        WaitingReferral(
            referral_id=referral.id,
            waiting_since=referral.waiting_since,
            waiting_for=referral.waiting_for,
            on_hold=referral.is_paused,
            offers_made=referral.offers_made,
        )
        for referral in waiting_list.longest_waiting(unit.session, request.limit)
        if referral.waiting_since is not None and referral.waiting_for is not None
    ]


def show_work(unit: UnitOfWork[Dependencies], request: GetWorkOfTherapist) -> WorkOfTherapist:
    return WorkOfTherapist(
        offers=tuple(
            OfferMade(
                offer_id=offer.id,
                referral_id=offer.referral_id,
                offered_at=offer.offered_at,
                expires_at=offer.expires_at,
                distance_km=offer.distance_km,
                state=offer.state_at(unit.now).value,
            )
            for offer in offers.newest_offers(unit.session, request.therapist_id, request.limit)
        ),
        clients=tuple(
            ClientSeen(match_id=match_.id, referral_id=match_.referral_id, matched_at=match_.matched_at)
            for match_ in matches.live_matches_of(unit.session, request.therapist_id)
        ),
    )


def therapist_view(therapist: Therapist, *, clients: int | None = None) -> TherapistView:
    return TherapistView(
        clients=clients,
        therapist_id=therapist.id,
        outward_code=therapist.outward_code,
        competence=therapist.competence,
        client_groups=tuple(map(ClientGroup, therapist.client_groups)),
        couple_work=therapist.couple_work,
        sessions=therapist.sessions,
        languages=tuple(therapist.languages),
        works_with_interpreters=therapist.works_with_interpreters,
        session_fee_pence=therapist.session_fee_pence,
        sex=therapist.sex,
        wheelchair_access=therapist.wheelchair_access,
        young_from_years=therapist.young_from_years,
        young_to_years=therapist.young_to_years,
        places=therapist.free_capacity,
        places_held=therapist.places_held,
        suspensions=tuple(map(SuspensionReason, therapist.suspensions)),
        away_until=therapist.away_until,
        last_offered_at=therapist.last_offered_at,
        asked_last=therapist.asked_last,
        admitted_at=therapist.admitted_at,
    )


def _position(point: Point | None) -> Position | None:
    return Position(latitude=point.latitude, longitude=point.longitude) if point else None


def _view(one: Considered, rank: int, referral: Referral) -> ConsideredTherapist:
    candidate = one.candidate
    return ConsideredTherapist(
        therapist=therapist_view(one.therapist),
        rank=rank if candidate else None,
        at=_position(one.therapist.point),
        sessions=candidate.sessions if candidate else None,
        distance_km=one.distance_km,
        unmet=candidate.unmet if candidate else 0,
        client_pays_pence=max(0, one.therapist.session_fee_pence - referral.subsidy_pence_per_session),
        exclusions=tuple(ExclusionView(reason=what.reason, by=what.by) for what in one.exclusions),
        can_be_chosen=one.can_be_chosen,
    )
