"""What matching refuses a person, by name."""

from __future__ import annotations

from chassis.ports import Refused


class UnknownTherapist(Refused):
    """There is no such therapist."""


class UnknownReferral(Refused):
    """There is no such referral."""


class UnknownOffer(Refused):
    """There is no such offer, or it was made to another therapist."""


class UnknownMatch(Refused):
    """There is no such match."""


class WithdrawAtIntake(Refused):
    """A withdrawal is recorded at intake, which stops everything else too."""


class SomebodyElseIsAsked(Refused):
    """Another offer is out by now than whoever chose had seen."""


class CannotBeAsked(Refused):
    """This therapist can't be asked about this referral, whoever decides so; the message says why."""


class NotSearching(Refused):
    """Nobody is sought for this referral now."""


class UnknownOutwardCode(Refused):
    """There is no such outward code, so no distance from it is known."""


class AwayUntilWhen(Refused):
    """Who is away says until when, so that they are not asked before."""


class CannotUndo(Refused):
    """Something has followed the end of the match; the message says what to do instead."""


class AgesTheWrongWayRound(Refused):
    """The youngest of the young people whom a therapist sees is older than the oldest."""
