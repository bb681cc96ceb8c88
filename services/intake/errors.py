"""What intake refuses a person, by name, besides what its domain does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.refused import Refused


class UnknownReferral(Refused):
    """There is no such referral; the identifier may be mistyped."""


class ChangedMeanwhile(Refused):
    """Somebody has changed the referral since it was looked at. `details` say who changed what, and when."""

    def __init__(self, reference: str, changes: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(f"{reference} was changed since you looked at it. Look again, and then decide.")
        self.details = {"changes": list(changes)}


class UnknownPlace(Refused):
    """What was typed names no place in the UK; the message tells what to look at."""


class NotSealedToIntake(Refused):
    """What must travel sealed could not be opened here."""


class CannotMergeInto(Refused):
    """The other referral is this one itself, or is finished, so that it can't go on in this one's place."""


class SameReferral(Refused):
    """A referral can't be told apart from itself."""


class MergedIntoEachOther(Refused):
    """One of the two has stopped because a person found them to be the same."""


class CannotLink(Refused):
    """A referral isn't linked to itself, nor twice to the same other one, nor to one that was erased."""


class UnknownLink(Refused):
    """There is no such link, or it was undone."""


class HandlesLinkedReferral(Refused):
    """This person handles a referral that is linked to this one: a colleague takes it."""


class WroteThemselves(Refused):
    """The client wrote the request themselves, and agrees to it by that."""


class OnLegalHold(Refused):
    """What is held about this person must be kept until the hold is lifted."""


class TherapyInProgress(Refused):
    """The client is seeing a therapist, who would lose touch with them."""


class ConcernOpen(Refused):
    """Nobody has taken a safeguarding concern about this referral in hand yet."""


class NeverErased(Refused):
    """There was no erasure under this reference."""


class NoHold(Refused):
    """There is no legal hold to lift."""


class AlreadyOnHold(Refused):
    """There is a legal hold already; the message says whose."""


class NothingLeftToRead(UnknownReferral):
    """The person was erased."""


class NotReachable(Refused):
    """A contact names a way to reach somebody, and not where."""


class NobodyWroteForThem(Refused):
    """The client wrote themselves: there is no writer whose contact could be changed."""


class NothingToSettle(Refused):
    """No new contact waits for a person."""


class NothingToChange(Refused):
    """Nothing is otherwise than it was."""


class SaysTwoThings(Refused):
    """A wish is named and taken back at once, or made a must without being named."""


class NotInPrison(Refused):
    """Whether sessions online are allowed is asked of prisons; others say how they would like to meet."""


class StillUnreadable(Refused):
    """It can't be taken in as it is; the message says why."""


class NothingUnreadable(Refused):
    """Nothing is kept of this submission; it may have been read meanwhile."""


class NothingToLookFor(Refused):
    """What somebody is to be looked for by is missing."""


class NotTakenIn(Refused):
    """What was typed in can't be taken in; the message says why."""
