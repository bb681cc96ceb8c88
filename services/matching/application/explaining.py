"""Candidates as a person looks at them, and a therapist whom a person has asked."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.vocabulary import Sessions, TherapistId
from services.matching.application.search import excluded_for_good, make_way, offer_to
from services.matching.dependencies import Dependencies
from services.matching.domain.explanation import Considered, Excluded, consider
from services.matching.domain.referral import Referral, State
from services.matching.domain.suitability import Candidate, meeting, unmet_preferences
from services.matching.domain.therapist import Therapist
from services.matching.errors import CannotBeAsked, NotSearching, SomebodyElseIsAsked
from services.matching.store import offers, therapists

NOBODY_IS_SOUGHT = frozenset({State.AWAITING_ASSESSMENT, State.STOPPED, State.ENDED, State.ERASED})
SEARCHING = frozenset({State.WAITING, State.OFFERED})
MOST_CONSIDERED = 5_000
"""Therapists that are looked at for one answer."""


def explain(unit: UnitOfWork[Dependencies], referral: Referral) -> list[Considered]:
    """The candidates first, by rank, and then the others, by how little excludes them. Raises NotSearching."""
    if referral.state in NOBODY_IS_SOUGHT or referral.competence is None:
        raise NotSearching("Nobody is sought for this referral: it isn't assessed yet, or it is over.")
    excluded, order = _excluded(unit, referral), unit.dependencies.settings.order
    found = [consider(one, referral, excluded) for one in therapists.first_therapists(unit.session, MOST_CONSIDERED)]
    candidates = [one for one in found if one.candidate]
    candidates.sort(key=lambda one: one.candidate.rank(order) if one.candidate else ())
    others = [one for one in found if not one.candidate]
    return candidates + sorted(others, key=_nearness)


def offer_by_choice(
    unit: UnitOfWork[Dependencies], referral: Referral, therapist: Therapist, *, instead_of: TherapistId | None
) -> None:
    """Asks whom a person has chosen, instead of whoever is asked now.

    Raises NotSearching, SomebodyElseIsAsked, CannotBeAsked.
    """
    if referral.state not in SEARCHING or referral.is_paused or referral.competence is None:
        raise NotSearching("Nobody is sought for this referral now: it is matched, on hold, or over.")
    asked = offers.open_offer_of(unit.session, referral.id)
    if (asked.therapist_id if asked else None) != instead_of:
        raise SomebodyElseIsAsked("Meanwhile it is another therapist who is asked, or none. Look at it again.")
    considered = consider(therapist, referral, _excluded(unit, referral))
    if not considered.can_be_chosen:
        why = ", ".join(one.reason.value.replace("_", " ") for one in considered.exclusions)
        raise CannotBeAsked(f"This therapist can't be asked about this referral: {why}.")
    make_way(unit, referral)
    offer_to(unit, referral, considered.candidate or _all_the_same(considered, referral))


def _all_the_same(considered: Considered, referral: Referral) -> Candidate:
    """How the two would meet although it isn't what the client said: online if the therapist meets so at all."""
    therapist = considered.therapist
    met = meeting(therapist, referral)
    if met is None and therapist.sessions is not Sessions.IN_PERSON and referral.online_allowed:
        met = Sessions.ONLINE, 0.0
    return Candidate(
        therapist,
        *(met or (Sessions.IN_PERSON, considered.distance_km or 0.0)),
        unmet_preferences(therapist, referral),
    )


def _excluded(unit: UnitOfWork[Dependencies], referral: Referral) -> Excluded:
    return Excluded(
        asked_before=offers.already_asked(unit.session, referral.id), apart=excluded_for_good(unit, referral)
    )


def _nearness(one: Considered) -> tuple[object, ...]:
    far = one.distance_km if one.distance_km is not None else float("inf")
    return not one.can_be_chosen, len(one.exclusions), far, str(one.therapist.id)
