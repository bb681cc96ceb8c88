"""The referral fee: charged for each accepted referral, credited if the client never attends."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from contracts.vocabulary import ClosureReason, MatchEndReason


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


def is_charged(*, ending: Ending | None) -> bool:
    """Whether a match is charged for at all: not when the referral had been taken back or sent elsewhere before."""
    return ending not in (Ending.WITHDRAWN, Ending.SIGNPOSTED)


def is_credited_by_ending(*, ending: Ending, sessions_attended: int) -> bool:
    """Whether the end of a referral gives its fee back."""
    return sessions_attended == 0 and ending is not Ending.CLOSED


def is_credited_by_match_end(*, reason: MatchEndReason, sessions_attended: int) -> bool:
    """Whether the end of a match gives its fee back.

    Not when the client was unhappy: that they met is what made them so, whether or not the session was recorded.
    """
    return sessions_attended == 0 and reason in (MatchEndReason.NOT_ATTENDED, MatchEndReason.WITHDRAWN)


def keeps_award(*, reason: MatchEndReason) -> bool:
    """Whether the client's subsidy waits for their next therapist: a client unhappy for any reason gets another."""
    return reason is MatchEndReason.CLIENT_UNHAPPY
