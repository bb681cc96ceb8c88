"""An offer of a referral to a therapist, and the match it may become."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.refused import Refused
from contracts.vocabulary import MatchEndReason, MatchId, OfferId, ReferralId, Sessions, TherapistId


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class OfferNoLongerOpen(Refused):
    """The offer was answered, has expired or was withdrawn; the message says which."""


class NotTheirOffer(Refused, name="UnknownOffer"):
    """The offer was made to another therapist."""


@dataclass(eq=False, kw_only=True)
class Offer:
    """One therapist, asked once about one referral."""

    id: OfferId
    referral_id: ReferralId
    therapist_id: TherapistId
    offered_at: datetime
    expires_at: datetime
    distance_km: float
    sessions: Sessions
    state: OfferState = OfferState.OPEN
    token_hash: bytes | None = None
    """Of the secret of its link."""

    @property
    def is_open(self) -> bool:
        return self.state is OfferState.OPEN

    def state_at(self, at: datetime) -> OfferState:
        """An open offer has expired at its deadline, whether or not the timer that records it has fired."""
        return OfferState.EXPIRED if self.is_open and at >= self.expires_at else self.state

    def answer(self, *, therapist_id: TherapistId, accepted: bool, at: datetime) -> None:
        """Raises NotTheirOffer, or OfferNoLongerOpen if it has been answered, withdrawn or has expired."""
        if therapist_id != self.therapist_id:
            raise NotTheirOffer("This offer was made to another therapist.")
        state = self.state_at(at)
        if state is not OfferState.OPEN:
            raise OfferNoLongerOpen(f"This offer is no longer open: it was {state.value}.")
        self.state = OfferState.ACCEPTED if accepted else OfferState.DECLINED

    def expire(self) -> bool:
        """False if it isn't open any more."""
        return self._close(OfferState.EXPIRED)

    def withdraw(self) -> bool:
        """False if it isn't open any more."""
        return self._close(OfferState.WITHDRAWN)

    def _close(self, state: OfferState) -> bool:
        if not self.is_open:
            return False
        self.state = state
        return True


@dataclass(eq=False, kw_only=True)
class Match:
    """A client and a therapist who work together."""

    id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    matched_at: datetime
    ended_at: datetime | None = None
    reason: MatchEndReason | None = None
    end_reported_at: datetime | None = None
    """When its therapist said last, by the page of the introduction, that it has ended, or when an end was undone."""

    def advance_report(self, *, at: datetime) -> bool:
        """Records when the therapist said so. False if that is not news: the office may have corrected it."""
        if self.end_reported_at is not None and at <= self.end_reported_at:
            return False
        self.end_reported_at = at
        return True

    def end(self, *, reason: MatchEndReason, at: datetime) -> bool:
        """False if it has ended before."""
        if self.ended_at is not None:
            return False
        self.ended_at, self.reason = at, reason
        return True

    def undo_end(self, *, at: datetime) -> None:
        """What its therapist said before this moment is old news, whenever it arrives."""
        self.ended_at = self.reason = None
        self.end_reported_at = max(self.end_reported_at or at, at)
