"""Matches as billing knows them, and the sessions attended in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from contracts.vocabulary import (
    AwardId,
    MatchEndReason,
    MatchId,
    ReferralId,
    SessionId,
    TherapistId,
)
from services.billing.domain.days import day_of


@dataclass(kw_only=True, eq=False)
class Match:
    """What matching said of a match, and whether somebody said that the client never attended.

    It has ended if there is an `end_reason`. `ended_at` stays where that was taken back, so that an older word on it is
    known as such.
    """

    id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    matched_at: datetime
    session_fee_pence: int
    end_reason: MatchEndReason | None = None
    ended_at: datetime | None = None
    attendance_asked_at: datetime | None = None
    never_attended_at: datetime | None = None
    never_attended_by: str | None = None
    contact_made_on: date | None = None
    session_reported_at: datetime | None = None
    """When its therapist said last, by the page of the introduction, that they have met, or a session was reversed."""

    def advance_report(self, *, at: datetime) -> bool:
        """Records when a session was reported. False if that is not news: the office may have corrected it."""
        if self.session_reported_at is not None and at <= self.session_reported_at:
            return False
        self.session_reported_at = at
        return True

    def covers(self, day: date) -> bool:
        """Whether client and therapist could meet on that day: both the first and the last count."""
        last = day_of(self.ended_at) if self.has_ended and self.ended_at else None
        return day_of(self.matched_at) <= day and (last is None or day <= last)

    @property
    def has_ended(self) -> bool:
        return self.end_reason is not None

    def end(self, *, reason: MatchEndReason, at: datetime) -> bool:
        """False if it has ended already, or this is older than what is known of its end."""
        if self.has_ended or (self.ended_at is not None and at <= self.ended_at):
            return False
        self.end_reason, self.ended_at = reason, at
        return True

    def undo_end(self, *, at: datetime) -> bool:
        """They had not parted. False if it goes on already, or has ended again since."""
        if self.end_reason is None or (self.ended_at is not None and at < self.ended_at):
            return False
        self.end_reason, self.ended_at = None, self.ended_at or at
        return True


@dataclass(kw_only=True, eq=False)
class AttendedSession:
    """A session that a client attended. One that was taken back stays on record as such."""

    id: SessionId
    match_id: MatchId
    attended_on: date
    drawn_pence: int
    award_id: AwardId | None = None
    reversed_at: datetime | None = None
