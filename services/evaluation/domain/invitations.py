"""Who is asked for a form, and when: the matches, what is known of their referrals, and the invitations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import (
    AgeBand,
    FormId,
    InvitationId,
    MatchEndReason,
    MatchId,
    ReferralId,
    Respondent,
    Stage,
    TherapistId,
)
from services.evaluation.domain.instruments import Instrument

NEVER_BEGAN = frozenset({MatchEndReason.WITHDRAWN, MatchEndReason.NOT_ATTENDED})
"""Ends after which there is no therapy to ask about."""


class State(StrEnum):
    OPEN = "open"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    TOO_LATE = "too_late"
    """Cancelled, and a form came back all the same: nothing of it is kept."""


class NotOpen(Exception):
    """The invitation can't be answered any more; the message says what became of it."""


@dataclass(kw_only=True, eq=False)
class Referral:
    """What evaluation needs to know of a referral. `consented` and `age_band` are None until it has arrived."""

    referral_id: ReferralId
    consented: bool | None = None
    age_band: AgeBand | None = None
    withdrawn_at: datetime | None = None

    @property
    def is_known(self) -> bool:
        return self.consented is not None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    def erase(self, *, at: datetime) -> None:
        """Leaves a referral that nobody is asked about, and keeps what comes later from changing that."""
        self.consented, self.age_band = False, None
        self.withdrawn_at = self.withdrawn_at or at

    def may_be_asked(self, instrument: Instrument) -> bool:
        """Whether the client agreed to evaluation and is of an age that the instrument is made for."""
        return bool(self.consented) and self.age_band not in instrument.not_for_ages


@dataclass(kw_only=True, eq=False)
class Match:
    """Client and therapist at work with each other."""

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    matched_at: datetime
    ended_at: datetime | None = None
    end_reason: MatchEndReason | None = None

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None

    @property
    def never_began(self) -> bool:
        return self.end_reason in NEVER_BEGAN

    def end(self, *, reason: MatchEndReason, at: datetime) -> bool:
        """False if it had ended before."""
        if self.has_ended:
            return False
        self.ended_at, self.end_reason = at, reason
        return True


@dataclass(kw_only=True, eq=False)
class Invitation:
    """One form asked of one person. Only the SHA-256 of its secret is kept."""

    id: InvitationId
    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    respondent: Respondent
    stage: Stage
    instrument: str
    instrument_version: int
    token_hash: bytes
    invited_at: datetime
    state: State = State.OPEN
    settled_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    def answer(self, *, at: datetime) -> None:
        """A form came back. Raises NotOpen."""
        if not self.is_open:
            raise NotOpen(f"the invitation is {self.state.value}")
        self.state, self.settled_at = State.RETURNED, at

    def answer_too_late(self, *, at: datetime) -> None:
        """A form came back although the invitation was cancelled. Raises NotOpen, unless this is the first."""
        if self.state is not State.CANCELLED:
            raise NotOpen(f"the invitation is {self.state.value}")
        self.state, self.settled_at = State.TOO_LATE, at

    def cancel(self, *, at: datetime) -> None:
        """Nobody need answer any more. An answer that was given stands."""
        if self.is_open:
            self.state, self.settled_at = State.CANCELLED, at


@dataclass(kw_only=True, eq=False)
class Response:
    """What a form came to. The answers themselves are not kept, only a mark by which the same form is known again."""

    invitation_id: InvitationId
    form_id: FormId
    answers_mark: bytes
    score: float | None
    missing: int
    submitted_at: datetime
