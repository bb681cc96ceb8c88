"""What the console refuses a person, by name."""

from __future__ import annotations

from chassis.ports import Refused


class UnknownReferral(Refused):
    """Nothing has been heard of such a referral, or it was erased."""


class AssignedMeanwhile(Refused):
    """Somebody else has said meanwhile whose work it is."""
