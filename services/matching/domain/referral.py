"""A referral as matching knows it: what it needs, and how far the search has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Competence,
    MatchId,
    PersonId,
    ReferralId,
    RiskLevel,
    Sessions,
    Sex,
    StallReason,
    TherapistId,
    Work,
)
from contracts.watermark import is_newer
from services.matching.domain.locations import Point
from services.matching.domain.needs import UNDETERMINED, Needs


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


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What a therapist must be able to do, and what the client prefers, as intake's newest word has it.

    `release` is where somebody in prison will live, if that is known and has a point.
    """

    competence: Competence
    work: Work
    therapist_sex: Sex | None
    therapist_sex_only: bool
    wheelchair_access: bool
    age_years: int | None
    required_languages: list[str]
    preferred_languages: list[str]
    interpreter_language: str | None
    most_per_session: int | None
    online_allowed: bool
    release: Point | None


def may_meet_online(client_group: ClientGroup, *, allowed: bool | None, release_on: date | None, today: date) -> bool:
    """Clients in prison only if a person says that the prison allows it, or after their release."""
    if allowed is not None:
        return allowed
    inside = client_group is ClientGroup.IN_PRISON and (release_on is None or today < release_on)
    return not inside


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
    """The number of what intake said last of whether the search goes on."""
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
    age_band: AgeBand | None = None
    risk_level: RiskLevel | None = None
    """This and `age_band` decide nothing here: a therapist judges an offer by them."""
    person_id: PersonId | None = None
    """What all referrals of one person have in common."""
    duplicate_of: ReferralId | None = None
    """The referral, of the same person, that a person merged this one into."""
    under_18: bool = False
    age_years: int | None = None
    therapist_sex_only: bool = False
    required_languages: list[str] = field(default_factory=list)
    preferred_languages: list[str] = field(default_factory=list)
    interpreter_language: str | None = None
    most_per_session: int | None = None
    online_allowed: bool = True
    sought_at_release: bool = False
    """The search is around where they will live after prison, not around where they are."""
    assessment_sequence: int = 0
    concern_open: bool = False
    """Nobody has acknowledged an immediate safeguarding concern about this person yet."""
    waited_seconds: int = 0
    """For how long it was on the waiting list before it was offered or paused."""
    stall_told: bool = False
    waiting_needs: str | None = None
    """The key of its needs while it is on the waiting list, by which a therapist who has room finds it."""

    @property
    def is_paused(self) -> bool:
        """Whether no therapist is offered the referral for now."""
        return self.on_hold or self.concern_open

    @property
    def needs(self) -> Needs:
        assert self.competence is not None, "no search begins before the assessment"
        return Needs(
            client_group=self.client_group,
            competence=self.competence,
            couple=self.work is Work.COUPLE,
            young=self.under_18,
            age_years=self.age_years,
            sex=self.therapist_sex if self.therapist_sex_only else None,
            languages=tuple(self.required_languages),
            interpreter=self.interpreter_language,
        )

    @property
    def liked_languages(self) -> list[str]:
        """Languages of which the client prefers any; that of their letters if they weren't asked."""
        asked = self.required_languages or self.preferred_languages or self.interpreter_language
        return self.preferred_languages if asked else [self.language]

    @property
    def would_meet_online(self) -> bool:
        return self.online_allowed and self.sessions is not Sessions.IN_PERSON

    @property
    def would_meet_in_person(self) -> bool:
        return not self.online_allowed or self.sessions is not Sessions.ONLINE

    @property
    def point(self) -> Point | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude)

    @property
    def own_limit_pence(self) -> int | None:
        """What the client can pay a session: their newest word."""
        return self.fee_ceiling_pence if self.most_per_session is None else self.most_per_session

    @property
    def highest_fee_pence(self) -> int | None:
        """What a session may cost at most: what the client can pay and what a fund adds. None: no limit was named.

        Who asks for a subsidy and names no ceiling can pay nothing.
        """
        own = self.own_limit_pence
        if own is None and self.subsidy is SubsidyState.NOT_REQUESTED:
            return None
        return (own or 0) + self.subsidy_pence_per_session

    def record_assessment(self, found: Assessment, *, sequence: int) -> bool:
        """Records what the therapist must be able to do. False if something newer was recorded before."""
        if not is_newer(sequence, self.assessment_sequence):
            return False
        self.assessment_sequence = sequence
        self.competence, self.work = found.competence, found.work
        self.therapist_sex, self.therapist_sex_only = found.therapist_sex, found.therapist_sex_only
        self.wheelchair_access = found.wheelchair_access
        self.age_years, self.under_18 = found.age_years, self.under_18 or found.age_years is not None
        self.required_languages, self.preferred_languages = found.required_languages, found.preferred_languages
        self.interpreter_language = found.interpreter_language
        self.most_per_session = found.most_per_session
        self.online_allowed = found.online_allowed
        if found.release is not None:
            self.sought_at_release = True
            self.latitude, self.longitude = found.release.latitude, found.release.longitude
        if self.state is State.AWAITING_ASSESSMENT:
            self._begin()
        return True

    def record_subsidy(self, *, subsidy: SubsidyState, pence_per_session: int, sequence: int) -> bool:
        """Records billing's decision. False if a newer one was recorded before."""
        if not is_newer(sequence, self.billing_sequence):
            return False
        self.billing_sequence = sequence
        self.subsidy = subsidy
        self.subsidy_pence_per_session = pence_per_session
        if self.state is State.AWAITING_SUBSIDY:
            self.state = State.WAITING
        return True

    def update_request(
        self,
        *,
        point: Point | None,
        sessions: Sessions,
        max_distance_km: float,
        fee_ceiling_pence: int | None,
        sequence: int,
    ) -> bool:
        """Records where the client is and what they can do. False if something newer was recorded before."""
        if not is_newer(sequence, self.received_sequence):
            return False
        self.received_sequence = sequence
        self.sessions, self.max_distance_km, self.fee_ceiling_pence = sessions, max_distance_km, fee_ceiling_pence
        if not self.sought_at_release:
            self.latitude = point.latitude if point else None
            self.longitude = point.longitude if point else None
        return True

    def pause(self, *, at: datetime) -> None:
        """No therapist is asked until the referral is resumed. A match made meanwhile stands, and ends the pause."""
        if self.state is State.MATCHED:
            return
        self.on_hold = True
        self._stop_search(at)

    def apply_concern(self, *, is_open: bool, at: datetime) -> None:
        """No therapist is asked while an immediate safeguarding concern is unacknowledged. Therapy goes on."""
        self.concern_open = is_open
        if is_open and self.state is not State.MATCHED:
            self._stop_search(at)

    def resume(self) -> None:
        """The search goes on where it was."""
        self.on_hold = False

    def reopen(self) -> None:
        """A referral that was stopped is wanted after all.

        Events arrive in any order: the assessment may come before this, and this before what stopped the referral.
        An earlier pause is over.
        """
        self.on_hold, self.duplicate_of = False, None
        if self.state is State.STOPPED:
            self.state = State.AWAITING_ASSESSMENT
            if self.competence is not None:
                self._begin()

    def release_from_prison(self) -> bool:
        """The day of their release from prison has come. False if that changes nothing."""
        changed = not self.online_allowed
        self.online_allowed = True
        return changed

    def advance_search(self, sequence: int) -> bool:
        """Records the number of what intake said of the search. False if something newer was said before."""
        if not is_newer(sequence, self.search_sequence):
            return False
        self.search_sequence = sequence
        return True

    def record_offer(self, *, at: datetime) -> None:
        """It is offered to a therapist, so its time on the waiting list stops counting."""
        self._stop_clock(at)
        self.state = State.OFFERED
        self.offers_made += 1

    def wait(self, *, waiting_for: StallReason, at: datetime) -> bool:
        """Puts it on the waiting list. True if it wasn't there before."""
        self.state, self.waiting_for, self.waiting_needs = State.WAITING, waiting_for, self.needs.key
        if self.waiting_since is not None:
            return False
        self.waiting_since = at - timedelta(seconds=self.waited_seconds)
        return True

    def record_match(self, *, match_id: MatchId, therapist_id: TherapistId) -> None:
        """A match ends a pause: nobody is sought while it lasts, and intake has them on hold no more."""
        self.state, self.match_id, self.therapist_id = State.MATCHED, match_id, therapist_id
        self.on_hold = False
        self._forget_waiting()

    def resume_search(self) -> None:
        """The offer came to nothing."""
        if self.state is State.OFFERED:
            self.state = State.WAITING

    def search_again(self) -> None:
        """The client was unhappy for any reason and gets another therapist."""
        self.state, self.match_id, self.therapist_id = State.WAITING, None, None

    def end(self) -> None:
        self.state = State.ENDED
        self.match_id = self.therapist_id = None

    def _begin(self) -> None:
        decided = self.subsidy is not SubsidyState.UNDECIDED
        self.state = State.WAITING if decided else State.AWAITING_SUBSIDY

    def stop(self) -> bool:
        """The search ends. False if it had ended before."""
        if self.state in (State.STOPPED, State.ENDED):
            return False
        self.state = State.STOPPED
        self._forget_waiting()
        return True

    def erase(self) -> None:
        """Forgets needs and location. Later events about the referral change nothing."""
        self.state = State.ERASED
        self.latitude = self.longitude = self.fee_ceiling_pence = self.age_band = self.risk_level = None
        self.language, self.max_distance_km, self.subsidy_pence_per_session = UNDETERMINED, 0.0, 0
        self.competence = self.work = self.therapist_sex = self.age_years = None
        self.wheelchair_access = self.under_18 = self.therapist_sex_only = self.sought_at_release = False
        self.required_languages, self.preferred_languages = [], []
        self.interpreter_language = self.most_per_session = self.match_id = self.therapist_id = None
        self.online_allowed = True
        self._forget_waiting()

    def _stop_search(self, at: datetime) -> None:
        self._stop_clock(at)
        if self.state is State.OFFERED:
            self.state = State.WAITING

    def _stop_clock(self, at: datetime) -> None:
        if self.waiting_since is not None:
            self.waited_seconds = int((at - self.waiting_since).total_seconds())
        self.waiting_since = self.waiting_for = self.waiting_needs = None

    def _forget_waiting(self) -> None:
        self.waiting_since = self.waiting_for = self.waiting_needs = None
        self.waited_seconds, self.stall_told = 0, False
