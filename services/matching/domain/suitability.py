"""Who suits a referral, and who of them is asked first.

What a client needs excludes, what they prefer ranks. Among those who meet it equally, meeting in person goes before
meeting online where both sides can do either; then the charity's policy decides, in one of two orders: within bands of
distance who was offered a referral longest ago, or the nearest. Online distance says nothing, so all are in one band.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from contracts.vocabulary import Sessions, StallReason, TherapistId
from services.matching.domain.locations import distance_km
from services.matching.domain.referral import Referral
from services.matching.domain.therapist import Therapist


class AskFirst(StrEnum):
    """Who goes before others who suit as well."""

    LONGEST_AGO = "longest_ago"
    NEAREST = "nearest"


@dataclass(frozen=True)
class Order:
    """The charity's policy. `band_km` counts for `longest_ago`."""

    ask_first: AskFirst = AskFirst.LONGEST_AGO
    band_km: float = 5.0

    def band(self, distance_km: float) -> float:
        """The part of the distance that counts: which band it is in, or all of it."""
        return distance_km if self.ask_first is AskFirst.NEAREST else distance_km // self.band_km


@dataclass(frozen=True)
class Candidate:
    """A therapist who suits a referral, and how the two would meet. `distance_km` is 0 online.

    `unmet` is how many of the client's preferences the therapist doesn't meet.
    """

    therapist: Therapist
    sessions: Sessions
    distance_km: float
    unmet: int

    def rank(self, order: Order) -> tuple[Any, ...]:
        """The lowest is asked first. Therapists who left offers unanswered come last, whatever else counts."""
        therapist, online = self.therapist, self.sessions is Sessions.ONLINE
        asked_at = therapist.last_offered_at if order.ask_first is AskFirst.LONGEST_AGO else None
        preferred = therapist.asked_last, self.unmet, online, order.band(self.distance_km)
        return *preferred, _moment(asked_at), -therapist.free_capacity, str(therapist.id)


def is_qualified(therapist: Therapist, referral: Referral) -> bool:
    """Competence, client group and age, kind of work, language, and the therapist's sex where no other will do."""
    return therapist.meets(referral.needs)


def unmet_preferences(therapist: Therapist, referral: Referral) -> int:
    """The therapist's sex, one of the languages, and that nobody has to interpret."""
    liked = referral.liked_languages
    return (
        (referral.therapist_sex not in (None, therapist.sex))
        + (bool(liked) and not set(liked) & set(therapist.languages))
        + therapist.needs_interpreter(referral.interpreter_language)
    )


def meeting(therapist: Therapist, referral: Referral) -> tuple[Sessions, float] | None:
    """How they could meet and at what distance in km; None if they can't."""
    if referral.would_meet_in_person and therapist.sessions is not Sessions.ONLINE:
        distance = distance_between(therapist, referral)
        accessible = therapist.wheelchair_access or not referral.wheelchair_access
        if distance is not None and distance <= referral.max_distance_km and accessible:
            return Sessions.IN_PERSON, round(distance, 1)
    if referral.would_meet_online and therapist.sessions is not Sessions.IN_PERSON:
        return Sessions.ONLINE, 0.0
    return None


def is_affordable(therapist: Therapist, referral: Referral) -> bool:
    limit = referral.highest_fee_pence
    return limit is None or therapist.session_fee_pence <= limit


def still_suits(therapist: Therapist, referral: Referral, *, sessions: Sessions) -> bool:
    """Whether an open offer to meet so still fits what each of the two needs and offers."""
    met = meeting(therapist, referral)
    return (
        met is not None
        and met[0] is sessions
        and is_qualified(therapist, referral)
        and is_affordable(therapist, referral)
    )


def candidate(referral: Referral, therapist: Therapist, *, excluded: set[TherapistId]) -> Candidate | None:
    """A therapist who can be asked now; None if this one can't."""
    if not therapist.can_be_asked or therapist.id in excluded:
        return None
    if not (is_qualified(therapist, referral) and is_affordable(therapist, referral)):
        return None
    met = meeting(therapist, referral)
    return Candidate(therapist, *met, unmet_preferences(therapist, referral)) if met else None


class WhyNobody:
    """Why no therapist can be asked: the condition at which the most promising of those looked at fails."""

    _ORDER = (
        StallReason.NOBODY_QUALIFIED,
        StallReason.NOBODY_NEAR,
        StallReason.NOBODY_AFFORDABLE,
        StallReason.ALL_DECLINED,
        StallReason.NOBODY_WITH_ROOM,
    )

    def __init__(self, referral: Referral, *, excluded: set[TherapistId]) -> None:
        self._referral, self._excluded = referral, excluded
        self._came_to = 0

    @property
    def reason(self) -> StallReason:
        return self._ORDER[self._came_to]

    def look_at(self, therapists: Iterable[Therapist]) -> None:
        """Looks at therapists until one is found who lacks room alone."""
        for therapist in therapists:
            self._came_to = max(self._came_to, self._how_far(therapist))
            if self.reason is StallReason.NOBODY_WITH_ROOM:
                return

    def _how_far(self, therapist: Therapist) -> int:
        if not is_qualified(therapist, self._referral):
            return 0
        if not meeting(therapist, self._referral):
            return 1
        if not is_affordable(therapist, self._referral):
            return 2
        return 3 if therapist.id in self._excluded else 4


def _moment(at: datetime | None) -> float:
    """Therapists who were never offered anything come first."""
    return at.timestamp() if at else 0.0


def distance_between(therapist: Therapist, referral: Referral) -> float | None:
    """None where the outward code of either has no coordinates (some large users' and the Crown Dependencies')."""
    if therapist.point is None or referral.point is None:
        return None
    return distance_km(therapist.point, referral.point)
