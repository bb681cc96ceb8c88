"""Who is asked for a form, and when: the matches, what is known of their referrals, and the invitations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import (
    AgeBand,
    ConcernId,
    FormId,
    InvitationId,
    MatchEndReason,
    MatchId,
    PersonId,
    ReferralId,
    Respondent,
    Stage,
    TherapistId,
)
from contracts.watermark import is_newer
from services.evaluation.domain.instruments import Instrument

NEVER_BEGAN = frozenset({MatchEndReason.WITHDRAWN, MatchEndReason.NOT_ATTENDED})
"""Ends after which there is no therapy to ask about."""


class State(StrEnum):
    OPEN = "open"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    """Nobody answered in the time that a link is open."""
    TOO_LATE = "too_late"
    """Cancelled or lapsed, and a form came back all the same: nothing of it is kept."""


class Mode(StrEnum):
    """How a form was answered."""

    ONLINE = "online"
    TELEPHONE = "telephone"
    PAPER = "paper"


class NotOpen(Exception):
    """The invitation can't be answered any more; the message says what became of it."""


@dataclass(kw_only=True, eq=False)
class Referral:
    """What evaluation needs to know of a referral. `consented` and `age_band` are None until it has arrived.

    `age_years` is known of those under 18 alone. `person_id` is what all referrals of one person have in common.
    """

    referral_id: ReferralId
    consented: bool | None = None
    age_band: AgeBand | None = None
    age_years: int | None = None
    person_id: PersonId | None = None
    withdrawn_at: datetime | None = None
    received_sequence: int = 0
    """The number of intake's newest word on who the client is and what they agreed to."""
    standing_sequence: int = 0
    """The number of its newest word on whether the referral goes on."""

    @property
    def is_known(self) -> bool:
        return self.consented is not None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def is_erased(self) -> bool:
        """Whether all about the client was forgotten: whoever is known has an age band, if only `unknown`."""
        return self.is_known and self.age_band is None

    def advance_request(self, sequence: int) -> bool:
        """Whether this is newer than all that intake has said of the client; if so, it is from now on the newest."""
        if self.is_erased or not is_newer(sequence, self.received_sequence):
            return False
        self.received_sequence = sequence
        return True

    def withdraw(self, *, at: datetime, sequence: int) -> bool:
        """False if it was withdrawn before, or something newer is known."""
        if not is_newer(sequence, self.standing_sequence):
            return False
        self.standing_sequence = sequence
        was_withdrawn, self.withdrawn_at = self.is_withdrawn, self.withdrawn_at or at
        return not was_withdrawn

    def reopen(self, *, sequence: int) -> None:
        """It had been withdrawn by mistake, unless something newer is known."""
        if not self.is_erased and is_newer(sequence, self.standing_sequence):
            self.standing_sequence, self.withdrawn_at = sequence, None

    def erase(self, *, at: datetime) -> None:
        """Leaves a referral that nobody is asked about, and keeps what comes later from changing that."""
        self.consented, self.age_band, self.age_years, self.person_id = False, None, None, None
        self.withdrawn_at = self.withdrawn_at or at

    def may_be_asked(self, instrument: Instrument) -> bool:
        """Whether the client agreed to evaluation and is of an age that the instrument is made for."""
        if not self.consented:
            return False
        if instrument.ages is not None:
            return self.age_years is not None and self.age_years in instrument.ages
        return self.age_years is None and self.age_band not in instrument.not_for_ages


@dataclass(kw_only=True, eq=False)
class Match:
    """Client and therapist at work with each other.

    They have parted if there is an `end_reason`. `ended_at` stays where that was taken back, so that what is older is
    known.
    """

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    matched_at: datetime
    ended_at: datetime | None = None
    end_reason: MatchEndReason | None = None

    @property
    def has_ended(self) -> bool:
        return self.end_reason is not None

    @property
    def never_began(self) -> bool:
        return self.end_reason in NEVER_BEGAN

    def end(self, *, reason: MatchEndReason, at: datetime) -> bool:
        """False if it had ended before, or this is older than what is known of its end."""
        if self.has_ended or (self.ended_at is not None and at <= self.ended_at):
            return False
        self.ended_at, self.end_reason = at, reason
        return True

    def undo_end(self, *, at: datetime) -> bool:
        """They had not parted. False if it goes on already, or has ended again since."""
        if not self.has_ended or (self.ended_at is not None and at < self.ended_at):
            return False
        self.end_reason = None
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
    reminders: int = 0
    """How many there were, or would have been had one been allowed."""

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    def answer(self, *, at: datetime) -> None:
        """A form came back. Raises NotOpen."""
        if not self.is_open:
            raise NotOpen(f"the invitation is {self.state.value}")
        self.state, self.settled_at = State.RETURNED, at

    def answer_too_late(self, *, at: datetime) -> None:
        """A form came back although it was no longer asked for. Raises NotOpen, unless this is the first."""
        if self.state not in (State.CANCELLED, State.LAPSED):
            raise NotOpen(f"the invitation is {self.state.value}")
        self.state, self.settled_at = State.TOO_LATE, at

    def ask_again(self, *, token_hash: bytes, at: datetime) -> None:
        """What it was cancelled for is not so; the link is another one. Raises NotOpen unless it was cancelled."""
        if self.state is not State.CANCELLED:
            raise NotOpen(f"the invitation is {self.state.value}")
        self.state, self.settled_at = State.OPEN, None
        self.token_hash, self.invited_at, self.reminders = token_hash, at, 0

    def cancel(self, *, at: datetime) -> None:
        """Nobody need answer any more. An answer that was given stands."""
        if self.is_open:
            self.state, self.settled_at = State.CANCELLED, at

    def lapse(self, *, at: datetime) -> None:
        """Its link has been open for long enough. An answer that was given stands."""
        if self.is_open:
            self.state, self.settled_at = State.LAPSED, at


@dataclass(kw_only=True, eq=False)
class Concern:
    """A safeguarding concern about somebody in a referral: open until it was decided what comes of it.

    `referral_id` is None where the decision was heard of first.
    """

    concern_id: ConcernId
    referral_id: ReferralId | None = None
    settled_at: datetime | None = None


@dataclass(kw_only=True, eq=False)
class Response:
    """What a form came to. The answers themselves are not kept, only a mark by which the same form is known again."""

    invitation_id: InvitationId
    form_id: FormId
    answers_mark: bytes
    score: float | None
    missing: int
    submitted_at: datetime
    mode: Mode = Mode.ONLINE
    entered_by: str | None = None
    """Who of the charity entered it, where it was not answered online."""
