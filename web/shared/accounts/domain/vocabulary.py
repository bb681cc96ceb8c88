"""The words of accounts."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where an account stands. Whoever is locked or has left has no session, and their account stays on record."""

    INVITED = "invited"
    ACTIVE = "active"
    LOCKED = "locked"
    ENDED = "ended"


class Factor(StrEnum):
    """What somebody proved, besides their password, that it is them."""

    CODE = "code"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"
    PROVIDER = "provider"
    """The OpenID provider asked for a second factor, and says so."""


class Stage(StrEnum):
    """How far a session has come."""

    PASSWORD = "password"  # noqa: S105 - the name of a stage
    """The password was right, and the second factor is asked for."""
    SET_UP = "set_up"
    """There is no second factor yet, and nothing can be done but to add one."""
    FULL = "full"


class LinkKind(StrEnum):
    """What a one-time link is for."""

    FIRST_ADMINISTRATOR = "first_administrator"
    INVITATION = "invitation"
    RENEWAL = "renewal"
    """Somebody who lost their password or second factor sets them up anew."""


class GrantState(StrEnum):
    WAITING = "waiting"
    EFFECTIVE = "effective"


class PreparedState(StrEnum):
    """Where a command stands that one person prepares and another confirms."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    """It was confirmed and given; whether it was carried out isn't known yet."""
    DONE = "done"
    DECLINED = "declined"


class SignInResult(StrEnum):
    SIGNED_IN = "signed_in"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - what came of it
    WRONG_FACTOR = "wrong_factor"
    LOCKED = "locked"


class GrantPolicy(StrEnum):
    """What happens when somebody is given a role that reveals personal data or moves money."""

    CONFIRM = "confirm"
    """It waits until a second person confirms it."""
    TELL = "tell"
    """It is effective at once, and all leads are told."""
