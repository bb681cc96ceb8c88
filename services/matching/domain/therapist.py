"""A therapist as matching knows them: what they offer, and whether there is room. No name, no address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from contracts.vocabulary import ClientGroup, Competence, Sessions, Sex, SuspensionReason, TherapistId
from services.matching.domain.places import Point


@dataclass(eq=False, kw_only=True)
class Therapist:
    """An admitted therapist.

    `places` is how many more clients they said they can take; an open offer holds one of them until it is answered.
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

    @property
    def point(self) -> Point | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude)

    @property
    def has_room(self) -> bool:
        return self.places > self.places_held

    def hold_place(self) -> None:
        """For an offer."""
        assert self.has_room, "an offer is only made to a therapist with room"
        self.places_held += 1

    def free_held_place(self) -> None:
        """The offer came to nothing."""
        self.places_held -= 1

    def fill_held_place(self) -> None:
        """The offer was accepted."""
        self.places_held -= 1
        self.places -= 1

    def empty_place(self) -> None:
        """A client's therapy has ended."""
        self.places += 1

    def change_places(self, *, places: int) -> None:
        """`places` is what is free from now on, besides what open offers hold."""
        self.places = places + self.places_held

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
        self.suspensions = [one for one in self.suspensions if one != reason]
        self.suspended = bool(self.suspensions)
        return True
