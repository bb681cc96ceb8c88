"""An offer of a referral to a therapist, and the match it may become."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import MatchEndReason, MatchId, OfferId, ReferralId, Sessions, TherapistId


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class OfferClosed(Exception):
    """The offer was answered, has expired or was taken back; the message says which."""


class NotTheirOffer(Exception):
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

    @property
    def is_open(self) -> bool:
        return self.state is OfferState.OPEN

    def answer(self, *, therapist_id: TherapistId, accepted: bool) -> None:
        """Raises NotTheirOffer or OfferClosed."""
        if therapist_id != self.therapist_id:
            raise NotTheirOffer("This offer was made to another therapist.")
        if not self.is_open:
            raise OfferClosed(f"This offer is no longer open: it was {self.state.value}.")
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

    def end(self, *, reason: MatchEndReason, at: datetime) -> bool:
        """False if it has ended before."""
        if self.ended_at is not None:
            return False
        self.ended_at, self.reason = at, reason
        return True
