"""Who suits a referral, and who of them is asked first.

The nearest suitable therapist with room is asked first. Meeting in person goes before meeting online where both sides
can do either; among those who meet online distance says nothing, so the one with most room goes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.vocabulary import Competence, Sessions, StallReason, TherapistId, Work
from services.matching.domain.places import distance_km
from services.matching.domain.referral import Referral
from services.matching.domain.therapist import Therapist


@dataclass(frozen=True)
class Candidate:
    """A therapist who suits a referral, and how the two would meet. `distance_km` is 0 online."""

    therapist: Therapist
    sessions: Sessions
    distance_km: float

    @property
    def rank(self) -> tuple[bool, float, int, str]:
        online = self.sessions is Sessions.ONLINE
        return online, self.distance_km, -self.therapist.places, str(self.therapist.id)


def is_trained(therapist: Therapist, referral: Referral) -> bool:
    """Competence, client group, kind of work, language, and what the client prefers or needs of a person."""
    return (
        (therapist.competence is Competence.HIGHER or referral.competence is Competence.LOWER)
        and referral.client_group in therapist.client_groups
        and (referral.work is not Work.COUPLE or therapist.couple_work)
        and referral.language in therapist.languages
        and referral.therapist_sex in (None, therapist.sex)
    )


def meeting(therapist: Therapist, referral: Referral) -> tuple[Sessions, float] | None:
    """How they could meet and at what distance in km; None if they can't."""
    if Sessions.ONLINE not in (therapist.sessions, referral.sessions):
        distance = _distance(therapist, referral)
        accessible = therapist.wheelchair_access or not referral.wheelchair_access
        if distance is not None and distance <= referral.max_distance_km and accessible:
            return Sessions.IN_PERSON, round(distance, 1)
    if Sessions.IN_PERSON in (therapist.sessions, referral.sessions):
        return None
    return Sessions.ONLINE, 0.0


def is_affordable(therapist: Therapist, referral: Referral) -> bool:
    limit = referral.highest_fee_pence
    return limit is None or therapist.session_fee_pence <= limit


def candidate(referral: Referral, therapist: Therapist, *, already_asked: set[TherapistId]) -> Candidate | None:
    """A therapist who can be asked now; None if this one can't."""
    if therapist.suspended or not therapist.has_room or therapist.id in already_asked:
        return None
    if not (is_trained(therapist, referral) and is_affordable(therapist, referral)):
        return None
    met = meeting(therapist, referral)
    return Candidate(therapist, *met) if met else None


def candidates(
    referral: Referral, therapists: Iterable[Therapist], *, already_asked: set[TherapistId]
) -> list[Candidate]:
    """Those who can be asked now, the one to ask first at the head."""
    found = (candidate(referral, one, already_asked=already_asked) for one in therapists)
    return sorted((one for one in found if one), key=lambda one: one.rank)


def why_nobody(referral: Referral, therapists: Iterable[Therapist], *, already_asked: set[TherapistId]) -> StallReason:
    """The first condition that leaves nobody, in the order in which a person would try to help."""
    left = [one for one in therapists if not one.suspended and is_trained(one, referral)]
    if not left:
        return StallReason.NOBODY_TRAINED
    left = [one for one in left if meeting(one, referral)]
    if not left:
        return StallReason.NOBODY_NEAR
    left = [one for one in left if is_affordable(one, referral)]
    if not left:
        return StallReason.NOBODY_AFFORDABLE
    if all(one.id in already_asked for one in left):
        return StallReason.ALL_DECLINED
    return StallReason.NOBODY_WITH_ROOM


def _distance(therapist: Therapist, referral: Referral) -> float | None:
    """None where the outward code of either has no coordinates (some large users' and the Crown Dependencies')."""
    if therapist.point is None or referral.point is None:
        return None
    return distance_km(therapist.point, referral.point)
