"""A therapist as matching knows them: what they offer, and whether there is room. No name, no address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from contracts.vocabulary import ClientGroup, Competence, Sessions, Sex, SuspensionReason, TherapistId
from contracts.watermark import is_newer
from services.matching.domain.locations import Point
from services.matching.domain.needs import Needs

YOUNGEST, OLDEST_YOUNG = 0, 17
"""Years: the ages of a young person."""


@dataclass(eq=False, kw_only=True)
class Therapist:
    """An admitted therapist.

    `places` is how many more clients they said they can take; each open offer reserves one of them (`places_held`).
    Who takes the group `young_person` is qualified for those of `young_from_years` to `young_to_years`.
    """

    id: TherapistId
    admitted_at: datetime
    competence: Competence
    client_groups: list[ClientGroup]
    couple_work: bool
    outward_code: str
    latitude: float | None
    longitude: float | None
    sessions: Sessions
    languages: list[str]
    session_fee_pence: int
    sex: Sex
    wheelchair_access: bool
    places: int
    places_held: int = 0
    suspensions: list[SuspensionReason] = field(default_factory=list)
    suspended: bool = False
    membership_sequence: int = 0
    works_with_interpreters: bool = False
    young_from_years: int = YOUNGEST
    young_to_years: int = OLDEST_YOUNG
    away_until: date | None = None
    """The day, in London, from which they can be asked again."""
    last_offered_at: datetime | None = None
    expired_in_a_row: int = 0
    asked_last: bool = False
    """They left so many offers to expire that the others are asked before them."""

    @property
    def point(self) -> Point | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude)

    @property
    def has_room(self) -> bool:
        return self.places > self.places_held

    @property
    def free_capacity(self) -> int:
        return self.places - self.places_held

    @property
    def can_be_asked(self) -> bool:
        return self.has_room and not self.suspended and self.away_until is None

    def meets(self, needs: Needs) -> bool:
        """Whether they are qualified for what a client needs, and speak the languages."""
        return (
            (self.competence is Competence.HIGHER or needs.competence is Competence.LOWER)
            and needs.client_group in self.client_groups
            and (self.couple_work or not needs.couple)
            and (not needs.young or self.is_qualified_for_young(needs.age_years))
            and needs.sex in (None, self.sex)
            and self.can_talk(needs)
        )

    def needs_interpreter(self, language: str | None) -> bool:
        return language is not None and language not in self.languages

    def advance_membership(self, sequence: int) -> bool:
        """Records the number of what billing said of the membership. False if something newer was said before."""
        if not is_newer(sequence, self.membership_sequence):
            return False
        self.membership_sequence = sequence
        return True

    def reserve(self, *, at: datetime) -> None:
        """They are offered a referral, which reserves capacity for it."""
        assert self.has_room, "an offer is only made to a therapist with room"
        self.places_held += 1
        self.last_offered_at = at

    def record_answer(self) -> None:
        """They answered, so offers that they left unanswered before no longer count."""
        self.expired_in_a_row, self.asked_last = 0, False

    def record_unanswered(self, *, at_most: int) -> bool:
        """One more offer in a row expired. True if that makes `at_most`, so that they are asked last from now on."""
        self.expired_in_a_row += 1
        if self.asked_last or self.expired_in_a_row < at_most:
            return False
        self.asked_last = True
        return True

    def report_no_room(self) -> None:
        """They can take nobody more; open offers they may still accept."""
        self.places = self.places_held

    def go_away(self, *, until: date) -> None:
        self.away_until = until

    def come_back(self) -> None:
        self.away_until = None

    def release_reserved(self) -> None:
        """The offer came to nothing."""
        self.places_held -= 1

    def use_reserved(self) -> None:
        """The offer was accepted."""
        self.places_held -= 1
        self.places -= 1

    def regain_capacity(self) -> None:
        """A client's therapy has ended."""
        self.places += 1

    def retake_capacity(self) -> None:
        """The end of a client's therapy was a mistake. It may be reserved for another by now."""
        self.places = max(self.places - 1, self.places_held)

    def change_places(self, *, places: int) -> None:
        """`places` is what is free from now on, besides what open offers reserve."""
        self.places = places + self.places_held
        self.record_answer()
        self.come_back()

    def suspend(self, *, reason: SuspensionReason) -> bool:
        """No new offers, for one more reason. False if it was one already."""
        if reason in self.suspensions:
            return False
        self.suspensions = [*self.suspensions, reason]
        self.suspended = True
        return True

    def reinstate(self, *, reason: SuspensionReason) -> bool:
        """One reason less. False if it was none."""
        if reason not in self.suspensions:
            return False
        self.suspensions = [other for other in self.suspensions if other != reason]
        self.suspended = bool(self.suspensions)
        return True

    def is_qualified_for_young(self, age_years: int | None) -> bool:
        """If the age isn't known, only who sees young people of every age."""
        if ClientGroup.YOUNG_PERSON not in self.client_groups:
            return False
        youngest, oldest = (YOUNGEST, OLDEST_YOUNG) if age_years is None else (age_years, age_years)
        return self.young_from_years <= youngest and oldest <= self.young_to_years

    def can_talk(self, needs: Needs) -> bool:
        """Whether they speak the languages, or work with an interpreter where one will do."""
        spoken = {*self.languages, needs.interpreter} if self.works_with_interpreters else set(self.languages)
        return spoken.issuperset(needs.languages) and (needs.interpreter is None or needs.interpreter in spoken)
