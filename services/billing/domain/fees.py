"""The referral fee: charged for each match, credited if the client never attends or soon parts as unhappy."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from contracts.vocabulary import ClosureReason, FeeCreditReason, MatchEndReason


class Ending(StrEnum):
    """How a referral ended, as intake said."""

    WITHDRAWN = "withdrawn"
    SIGNPOSTED = "signposted"
    CLOSED = "closed"
    CLOSED_NOT_ATTENDED = "closed_not_attended"


def ending_of_closure(reason: ClosureReason) -> Ending:
    return Ending.CLOSED_NOT_ATTENDED if reason is ClosureReason.NOT_ATTENDED else Ending.CLOSED


def due_on(*, issued_on: date, days: int) -> date:
    """The last day to pay an invoice in time."""
    return issued_on + timedelta(days=days)


def had_gone(*, ending: Ending | None, ended_at: datetime | None, matched_at: datetime) -> bool:
    """Whether the request had been taken back or sent elsewhere before the therapist accepted it: nothing is owed then.

    Decided by when each was said, not by which was heard of first.
    """
    gone = ending in (Ending.WITHDRAWN, Ending.SIGNPOSTED)
    return gone and ended_at is not None and ended_at < matched_at


def said_not_attended(*, recorded: bool, ending: Ending | None, match_end: MatchEndReason | None) -> bool:
    """Whether somebody said that the client never attended. That nothing is on record says nothing."""
    if recorded or match_end is MatchEndReason.NOT_ATTENDED:
        return True
    # A closing is about the last therapist, whose match ends with it; earlier ones parted for their own reason.
    return ending is Ending.CLOSED_NOT_ATTENDED and match_end in (None, MatchEndReason.WITHDRAWN)


def credit_reason(
    *, sessions: int, not_attended: bool, match_end: MatchEndReason | None, unhappy_within: int
) -> FeeCreditReason | None:
    """Why a fee is given back; None if it stands, or nobody has said yet what it depends on.

    `sessions` are those on record. Nothing is credited by silence: a client who parts as unhappy and of whom no session
    is on record may have had many.
    """
    if sessions == 0:
        return FeeCreditReason.NOT_ATTENDED if not_attended else None
    unhappy = match_end is MatchEndReason.CLIENT_UNHAPPY and sessions <= unhappy_within
    return FeeCreditReason.CLIENT_UNHAPPY if unhappy else None


def keeps_award(*, reason: MatchEndReason) -> bool:
    """Whether the client's subsidy waits for their next therapist: a client unhappy for any reason gets another."""
    return reason is MatchEndReason.CLIENT_UNHAPPY
