"""What the console refuses a person, by name."""

from __future__ import annotations

from chassis.ports import Refused


class UnknownReferral(Refused):
    """Nothing has been heard of such a referral, or it was erased."""


class NotAReference(Refused):
    """What was typed is no reference; the message says what is wrong with it."""


class AssignedMeanwhile(Refused):
    """Somebody else has said meanwhile whose work it is."""
