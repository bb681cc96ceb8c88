"""A referral's life, as intake sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    MatchEndReason,
    MatchId,
    ReferralId,
    SignpostReason,
    SubmissionId,
    TherapistId,
    WithdrawalReason,
)


class State(StrEnum):
    RECEIVED = "received"
    ASSESSED = "assessed"
    MATCHED = "matched"
    SIGNPOSTED = "signposted"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    ERASED = "erased"


FINAL = frozenset({State.SIGNPOSTED, State.WITHDRAWN, State.CLOSED, State.ERASED})


class StepRefused(Exception):
    """This step isn't possible for a referral in its present state; the message says what state that is."""


class AlreadyAssessed(StepRefused):
    """The assessment was made before, and a therapist is being sought or was found."""


class AlreadyFinished(StepRefused):
    """The referral was withdrawn, signposted, closed or erased."""


@dataclass(eq=False, kw_only=True)
class Referral:
    """One request for help. Who the client is stands encrypted beside it, never in it."""

    id: ReferralId
    submission_id: SubmissionId
    reference: str
    client_group: ClientGroup
    received_at: datetime
    assess_by: datetime
    passphrase_mark: bytes
    state: State = State.RECEIVED
    match_id: MatchId | None = None
    therapist_id: TherapistId | None = None
    matching_sequence: int = 0
    """How far matching's story of this referral has been taken in."""
    failed_passphrases: int = 0
    locked_until: datetime | None = None

    def assess(self) -> None:
        """Raises AlreadyAssessed or AlreadyFinished."""
        self._refuse_if_finished()
        if self.state is not State.RECEIVED:
            raise AlreadyAssessed(f"Referral {self.reference} has been assessed already.")
        self.state = State.ASSESSED

    def signpost(self, *, reason: SignpostReason) -> None:
        """Raises AlreadyAssessed or AlreadyFinished."""
        self.assess()
        self.state = State.SIGNPOSTED

    def withdraw(self, *, reason: WithdrawalReason) -> bool:
        """Takes the request back, at any stage. False if it was taken back before. Raises AlreadyFinished."""
        if self.state is State.WITHDRAWN:
            return False
        self._refuse_if_finished()
        self.state = State.WITHDRAWN
        return True

    def erase(self) -> None:
        """Leaves a referral about nobody, whose reference nobody's words open any more."""
        self.state, self.passphrase_mark = State.ERASED, b""

    def match(self, *, match_id: MatchId, therapist_id: TherapistId, sequence: int) -> bool:
        """A therapist was found. False if that is no longer wanted, or if matching has said something newer since."""
        if not self._is_news(sequence):
            return False
        self.state, self.match_id, self.therapist_id = State.MATCHED, match_id, therapist_id
        return True

    def end_match(self, *, reason: MatchEndReason, sequence: int) -> bool:
        """Client and therapist parted. True if that closes the referral.

        A client who was unhappy gets another therapist, so the referral is open again. An end may overtake its own
        match, which then has no effect.
        """
        if not self._is_news(sequence):
            return False
        self.match_id = self.therapist_id = None
        self.state = State.ASSESSED if reason is MatchEndReason.CLIENT_UNHAPPY else State.CLOSED
        return self.state is State.CLOSED

    def _is_news(self, sequence: int) -> bool:
        """Whether this is newer than all that matching has said before, of a referral that is still under way."""
        if self.state in FINAL or sequence <= self.matching_sequence:
            return False
        self.matching_sequence = sequence
        return True

    def _refuse_if_finished(self) -> None:
        if self.state in FINAL:
            raise AlreadyFinished(f"Referral {self.reference} is {self.state.value}, and stays so.")


def age_band(age: int | None) -> AgeBand:
    """The ten-year band that leaves intake in place of an age in years."""
    if age is None:
        return AgeBand.UNKNOWN
    if age < 18:
        return AgeBand.UNDER_18
    starts = ((65, AgeBand.FROM_65), (55, AgeBand.FROM_55), (45, AgeBand.FROM_45), (35, AgeBand.FROM_35))
    return next((band for start, band in starts if age >= start), AgeBand.FROM_25 if age >= 25 else AgeBand.FROM_18)
