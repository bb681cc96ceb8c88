"""What notifications refuses a person, by name."""

from __future__ import annotations

from chassis.ports import Refused


class UnknownStaff(Refused):
    """There is nobody with this identifier; `keep_staff` adds them."""


class UnknownDuty(Refused):
    """There is no such turn on the rota."""


class UnknownAlert(Refused):
    """There is no alert about this concern; the identifier may be mistyped."""


class AlertTestUnderWay(Refused):
    """A test alert is on its way; one at a time, so that nobody takes it for more."""


class NotReadable(Refused):
    """What was sealed can't be opened here, or is not what it should be."""


class IdentityUsedUp(Refused):
    """What was stored under this identifier was erased, and nothing is stored under it again."""


class NothingAskedAfter(Refused):
    """Say which referral or which concern the messages should be about."""


class UnknownMessage(Refused):
    """There is no such message, or it was erased with whom it was about."""


class NotWrittenTo(Refused):
    """Nothing may be sent to this client, or only a person may get in touch with them."""


class NoIntroduction(Refused):
    """Nobody is introduced to this client, or may see them at the moment."""


class CannotSeal(Refused):
    """The key that came with the question can't be sealed to."""
