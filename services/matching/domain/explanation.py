"""Why a therapist is asked about a referral, or isn't: for a person who looks at the candidates.

The same conditions as in `suitability`, told one by one; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from contracts.commands.matching import ExclusionReason, Relaxation
from contracts.vocabulary import Competence, Sessions, TherapistId
from services.matching.domain.needs import Needs
from services.matching.domain.referral import Referral
from services.matching.domain.suitability import Candidate, distance_between, meeting, unmet_preferences
from services.matching.domain.therapist import Therapist

BY_A_PERSON = frozenset(
    {
        ExclusionReason.TOO_FAR,
        ExclusionReason.FEE_TOO_HIGH,
        ExclusionReason.WAY_OF_MEETING,
        ExclusionReason.AWAY,
        ExclusionReason.ASKED_BEFORE,
    }
)
"""What a person may put aside with a reason. The rest keeps somebody safe, or can't be done."""


WHERE = frozenset({ExclusionReason.TOO_FAR, ExclusionReason.WAY_OF_MEETING, ExclusionReason.NOT_ACCESSIBLE})
FURTHER_KM, DEARER_PENCE = 20, 10_00


@dataclass(frozen=True)
class Exclusion:
    """`by` is how much is missing: kilometres, or pence a session."""

    reason: ExclusionReason
    by: float | None = None


@dataclass(frozen=True)
class Excluded:
    """Therapists who are not asked about a referral: `asked_before` they were, and `apart` they must not be."""

    asked_before: Collection[TherapistId] = ()
    apart: Collection[TherapistId] = ()


@dataclass(frozen=True)
class Considered:
    """A therapist, beside a referral: a candidate if nothing excludes them. `distance_km` is that between the two."""

    therapist: Therapist
    exclusions: tuple[Exclusion, ...]
    distance_km: float | None
    candidate: Candidate | None

    @property
    def can_be_chosen(self) -> bool:
        """Whether a person may have them asked all the same."""
        return all(exclusion.reason in BY_A_PERSON for exclusion in self.exclusions)


def consider(therapist: Therapist, referral: Referral, excluded: Excluded) -> Considered:
    """Everything that excludes a therapist, or the candidate that they are."""
    distance = distance_between(therapist, referral)
    found = (
        *_availability(therapist),
        *_qualification(therapist, referral.needs),
        *_meeting(therapist, referral, distance),
        *_price(therapist, referral),
        *_history(therapist, excluded),
    )
    met = None if found else meeting(therapist, referral)
    candidate = Candidate(therapist, *met, unmet_preferences(therapist, referral)) if met else None
    return Considered(therapist, found, None if distance is None else round(distance, 1), candidate)


def gained(considered: Sequence[Considered], referral: Referral) -> dict[Relaxation, int]:
    """How many more therapists could be asked if the client agreed to one thing more."""
    return {
        relaxation: sum(1 for one in considered if one.exclusions and _would_do(one, relaxation, referral))
        for relaxation in Relaxation
    }


def _would_do(one: Considered, relaxation: Relaxation, referral: Referral) -> bool:
    reasons = {exclusion.reason for exclusion in one.exclusions}
    missing = max((exclusion.by or 0 for exclusion in one.exclusions), default=0)
    match relaxation:
        case Relaxation.FURTHER:
            return reasons == {ExclusionReason.TOO_FAR} and 0 < missing <= FURTHER_KM
        case Relaxation.ONLINE_TOO:
            can = one.therapist.sessions is not Sessions.IN_PERSON and referral.online_allowed
            return can and not referral.would_meet_online and reasons <= WHERE
        case Relaxation.DEARER:
            return reasons == {ExclusionReason.FEE_TOO_HIGH} and missing <= DEARER_PENCE


def _availability(therapist: Therapist) -> Iterator[Exclusion]:
    if therapist.suspended:
        yield Exclusion(ExclusionReason.SUSPENDED)
    if therapist.away_until is not None:
        yield Exclusion(ExclusionReason.AWAY)
    if not therapist.has_room:
        yield Exclusion(ExclusionReason.NO_ROOM)


def _qualification(therapist: Therapist, needs: Needs) -> Iterator[Exclusion]:
    if needs.competence is Competence.HIGHER and therapist.competence is not Competence.HIGHER:
        yield Exclusion(ExclusionReason.COMPETENCE)
    if needs.client_group not in therapist.client_groups:
        yield Exclusion(ExclusionReason.CLIENT_GROUP)
    if needs.couple and not therapist.couple_work:
        yield Exclusion(ExclusionReason.COUPLE_WORK)
    if needs.young and not therapist.is_qualified_for_young(needs.age_years):
        yield Exclusion(ExclusionReason.AGE)
    if needs.sex not in (None, therapist.sex):
        yield Exclusion(ExclusionReason.SEX)
    if not therapist.can_talk(needs):
        yield Exclusion(ExclusionReason.LANGUAGE)


def _meeting(therapist: Therapist, referral: Referral, distance: float | None) -> Iterator[Exclusion]:
    if meeting(therapist, referral) is not None:
        return
    if not referral.would_meet_in_person or therapist.sessions is Sessions.ONLINE:
        yield Exclusion(ExclusionReason.WAY_OF_MEETING)
        return
    if distance is None:
        yield Exclusion(ExclusionReason.TOO_FAR)
    elif distance > referral.max_distance_km:
        yield Exclusion(ExclusionReason.TOO_FAR, round(distance - referral.max_distance_km, 1))
    if referral.wheelchair_access and not therapist.wheelchair_access:
        yield Exclusion(ExclusionReason.NOT_ACCESSIBLE)


def _price(therapist: Therapist, referral: Referral) -> Iterator[Exclusion]:
    limit = referral.highest_fee_pence
    if limit is not None and therapist.session_fee_pence > limit:
        yield Exclusion(ExclusionReason.FEE_TOO_HIGH, therapist.session_fee_pence - limit)


def _history(therapist: Therapist, excluded: Excluded) -> Iterator[Exclusion]:
    if therapist.id in excluded.apart:
        yield Exclusion(ExclusionReason.KEPT_APART)
    if therapist.id in excluded.asked_before:
        yield Exclusion(ExclusionReason.ASKED_BEFORE)
