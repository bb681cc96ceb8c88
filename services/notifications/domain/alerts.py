"""A safeguarding alert: escalated from person to person until one of them, by name, takes the concern in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.refused import Refused
from contracts.vocabulary import (
    AlertStep,
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    OutcomeId,
    ReferralId,
    Severity,
)

LADDER = (AlertStep.DUTY_LEAD, AlertStep.DEPUTY, AlertStep.TRUSTEE)


TIME_TO_REACH = timedelta(minutes=1)
"""How soon an alert should have gone out. If it hasn't, that is logged as critical, and again after each such while."""


class NotInHand(Refused):
    """A decision needs somebody who has taken the concern in hand."""


class AlreadyAcknowledged(Refused):
    """Another person has taken the concern in hand before."""


@dataclass(frozen=True)
class Call:
    """One person to be alerted. `round` is how often everybody has been alerted before."""

    step: AlertStep
    round: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was decided about a concern, on record for ever; the reason is encrypted under a key of the concern's."""

    id: OutcomeId
    concern_id: ConcernId
    outcome: ConcernOutcome
    decided_by: str
    decided_at: datetime
    reason: bytes


@dataclass(kw_only=True, eq=False)
class Alert:
    """One concern's alert: how far it has been escalated, and who has taken it in hand.

    `reached_at` is when it first went out to anybody by any channel. A test is about no referral: its own identifier
    stands in the place of one, nobody else hears of it, and it ends at the top of the ladder.
    """

    concern_id: ConcernId
    referral_id: ReferralId
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    step: AlertStep = LADDER[0]
    rounds: int = 0
    escalates_at: datetime | None = None
    reached_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    is_test: bool = False

    @property
    def about(self) -> ReferralId | None:
        """The referral that it is about; none of a test."""
        return None if self.is_test else self.referral_id

    @property
    def is_under_way(self) -> bool:
        """Whether somebody is still to be alerted."""
        return self.is_open and self.escalates_at is not None

    @property
    def is_open(self) -> bool:
        return self.acknowledged_at is None

    @property
    def is_at_the_top(self) -> bool:
        return self.step is LADDER[-1]

    def reach(self, *, at: datetime) -> None:
        self.reached_at = self.reached_at or at

    def begin(self) -> tuple[Call, ...]:
        """Whom to alert at once."""
        return (Call(self.step, self.rounds),)

    def escalate(self) -> tuple[Call, ...]:
        """Goes on to the next person; past the last one, to everybody again. Nobody once it is acknowledged."""
        if not self.is_open:
            return ()
        if self.is_test and self.is_at_the_top:
            self.escalates_at = None
            return ()
        if self.is_at_the_top:
            self.rounds += 1
            return tuple(Call(step, self.rounds) for step in LADDER)
        self.step = LADDER[LADDER.index(self.step) + 1]
        return (Call(self.step, self.rounds),)

    def acknowledge(self, *, by: str, at: datetime) -> bool:
        """Puts somebody in charge. False if it was this person already. Raises AlreadyAcknowledged."""
        if self.acknowledged_by == by:
            return False
        if not self.is_open:
            raise AlreadyAcknowledged("A colleague has taken this concern in hand already.")
        self.acknowledged_by, self.acknowledged_at, self.escalates_at = by, at, None
        return True

    def decide(self, outcome: ConcernOutcome, *, id: OutcomeId, by: str, reason: bytes, at: datetime) -> Outcome:
        """A decision, to be put on record. Raises NotInHand."""
        if self.is_open:
            raise NotInHand("Nobody has taken this concern in hand yet. Please acknowledge it first.")
        return Outcome(id=id, concern_id=self.concern_id, outcome=outcome, decided_by=by, decided_at=at, reason=reason)
