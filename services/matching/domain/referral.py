"""A referral as matching knows it: what it needs, and how far the search has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import (
    ClientGroup,
    Competence,
    MatchId,
    ReferralId,
    Sessions,
    Sex,
    StallReason,
    TherapistId,
    Work,
)
from services.matching.domain.places import Point

UNDETERMINED = "und"
"""ISO 639's code for a language that isn't known."""


class State(StrEnum):
    AWAITING_ASSESSMENT = "awaiting_assessment"
    AWAITING_SUBSIDY = "awaiting_subsidy"
    WAITING = "waiting"
    OFFERED = "offered"
    MATCHED = "matched"
    ENDED = "ended"
    STOPPED = "stopped"
    ERASED = "erased"


class SubsidyState(StrEnum):
    NOT_REQUESTED = "not_requested"
    UNDECIDED = "undecided"
    APPROVED = "approved"
    WAITLISTED = "waitlisted"
    DECLINED = "declined"


@dataclass(eq=False, kw_only=True)
class Referral:
    """One search for a therapist."""

    id: ReferralId
    client_group: ClientGroup
    latitude: float | None
    longitude: float | None
    language: str
    sessions: Sessions
    max_distance_km: float
    fee_ceiling_pence: int | None
    subsidy: SubsidyState
    subsidy_pence_per_session: int = 0
    billing_sequence: int = 0
    received_sequence: int = 0
    search_sequence: int = 0
    """The number of intake's newest word on whether anybody is to be sought at all."""
    on_hold: bool = False
    competence: Competence | None = None
    work: Work | None = None
    therapist_sex: Sex | None = None
    wheelchair_access: bool = False
    state: State = State.AWAITING_ASSESSMENT
    offers_made: int = 0
    waiting_since: datetime | None = None
    waiting_for: StallReason | None = None
    match_id: MatchId | None = None
    therapist_id: TherapistId | None = None

    @property
    def point(self) -> Point | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude)

    @property
    def highest_fee_pence(self) -> int | None:
        """What a session may cost at most: what the client can pay and what a fund adds. None: no limit was named.

        Who asks for a subsidy and names no ceiling can pay nothing.
        """
        if self.fee_ceiling_pence is None and self.subsidy is SubsidyState.NOT_REQUESTED:
            return None
        return (self.fee_ceiling_pence or 0) + self.subsidy_pence_per_session

    def assessed(
        self, *, competence: Competence, work: Work, therapist_sex: Sex | None, wheelchair_access: bool
    ) -> bool:
        """What the therapist must be able to do is known. True if the search can begin."""
        if self.competence is not None:
            return False
        self.competence, self.work = competence, work
        self.therapist_sex, self.wheelchair_access = therapist_sex, wheelchair_access
        return self.state is State.AWAITING_ASSESSMENT and self._begin()

    def subsidy_decided(self, *, subsidy: SubsidyState, pence_per_session: int, sequence: int) -> bool:
        """Billing has answered; an older answer than the last is dropped. True if it is worth searching now."""
        if sequence < self.billing_sequence:
            return False
        self.billing_sequence = sequence
        self.subsidy = subsidy
        self.subsidy_pence_per_session = pence_per_session
        if self.state is State.AWAITING_SUBSIDY:
            self.state = State.WAITING
        return self.state is State.WAITING

    def found_at(self, point: Point | None, *, sequence: int) -> bool:
        """Intake has told anew where the client is. True if it is worth searching now."""
        if sequence <= self.received_sequence:
            return False
        self.received_sequence = sequence
        self.latitude = point.latitude if point else None
        self.longitude = point.longitude if point else None
        return self.state is State.WAITING

    def hold(self) -> None:
        """Nobody is sought until the referral is resumed. A match that was made meanwhile stands, and ends the hold."""
        if self.state is State.MATCHED:
            return
        self.on_hold = True
        self.waiting_since = self.waiting_for = None
        if self.state is State.OFFERED:
            self.state = State.WAITING

    def resume(self) -> bool:
        """The search goes on where it was. True if somebody can be sought now."""
        self.on_hold = False
        return self.state is State.WAITING

    def reopen(self) -> bool:
        """A referral that was stopped is wanted after all. True if somebody can be sought now.

        Its assessment may have overtaken this, and this the word that stopped it. A hold of before is over.
        """
        self.on_hold = False
        if self.state is State.STOPPED:
            self.state = State.AWAITING_ASSESSMENT
            return self.competence is not None and self._begin()
        return self.state is State.WAITING

    def is_newer(self, sequence: int) -> bool:
        """Whether this is intake's newest word on the search; if so, it counts."""
        if 0 < sequence <= self.search_sequence:
            return False
        self.search_sequence = sequence
        return True

    def offered(self) -> None:
        self.state = State.OFFERED
        self.offers_made += 1

    def must_wait(self, *, waiting_for: StallReason, at: datetime) -> bool:
        """Nobody can be asked now. True if the referral was not on the waiting list before."""
        self.state, self.waiting_for = State.WAITING, waiting_for
        if self.waiting_since is not None:
            return False
        self.waiting_since = at
        return True

    def matched(self, *, match_id: MatchId, therapist_id: TherapistId) -> None:
        self.state, self.match_id, self.therapist_id = State.MATCHED, match_id, therapist_id
        self.waiting_since = self.waiting_for = None

    def seek_another(self) -> None:
        """The client was unhappy for any reason and gets another therapist."""
        self.state, self.match_id, self.therapist_id = State.WAITING, None, None

    def ended(self) -> None:
        self.state = State.ENDED
        self.match_id = self.therapist_id = None

    def _begin(self) -> bool:
        decided = self.subsidy is not SubsidyState.UNDECIDED
        self.state = State.WAITING if decided else State.AWAITING_SUBSIDY
        return decided

    def stop(self) -> bool:
        """Nobody is sought any more. False if that was so already."""
        if self.state in (State.STOPPED, State.ENDED):
            return False
        self.state = State.STOPPED
        self.waiting_since = self.waiting_for = None
        return True

    def erase(self) -> None:
        """Forgets what was asked of a therapist and from where. What comes later about the referral changes nothing."""
        self.state = State.ERASED
        self.latitude = self.longitude = self.fee_ceiling_pence = None
        self.language, self.max_distance_km, self.subsidy_pence_per_session = UNDETERMINED, 0.0, 0
        self.competence = self.work = self.therapist_sex = None
        self.wheelchair_access = False
        self.waiting_since = self.waiting_for = self.match_id = self.therapist_id = None
