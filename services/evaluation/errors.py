"""What evaluation refuses a person, by name."""

from __future__ import annotations

from chassis.ports import Refused


class UnknownInvitation(Refused):
    """There is no such invitation."""


class InvitationClosed(Refused):
    """The form was answered, or isn't asked for any more."""


class AnswersDontFit(Refused):
    """What was entered is not answers to this form."""


class StillUnreadable(Refused):
    """The form can't be taken as it is; the message says why."""


class NothingUnreadable(Refused):
    """Nothing is kept of this submission; it may have been read meanwhile."""


class UnknownInstrument(Refused):
    """There is no definition of this instrument."""
