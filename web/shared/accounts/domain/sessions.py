"""Sessions: how long one lasts, and what somebody who has one may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.permissions import GRANTS, RECENT_MINUTES, Permission, Role, permissions_of
from web.shared.accounts.domain.vocabulary import Factor, Stage

LONGEST = timedelta(hours=12)
IDLE = timedelta(minutes=30)
"""For whoever may see personal data, move money or manage accounts."""

HALFWAY = timedelta(minutes=30)
"""How long a session may take from the password to the second factor."""

RECENT = timedelta(minutes=RECENT_MINUTES)


@dataclass(frozen=True)
class Session:
    """A session as it is stored. `authenticated_at` is the last full authentication, by password and `factor`."""

    token_hash: bytes
    account_id: UUID
    stage: Stage
    begun_at: datetime
    used_at: datetime
    browser: str
    authenticated_at: datetime | None = None
    factor: Factor | None = None
    challenge: bytes | None = None
    """Of a passkey's ceremony that has begun in this session."""
    totp_secret: bytes | None = None
    """Of an app that is being added in this session, encrypted."""


@dataclass(frozen=True)
class SignedIn:
    """Somebody who is signed in, and all that a token which vouches for them says."""

    account_id: UUID
    name: str
    email: str
    roles: frozenset[Role]
    signed_in_at: datetime
    authenticated_at: datetime
    factor: Factor
    therapist_id: UUID | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(*self.roles)

    def is_recent(self, at: datetime) -> bool:
        """Whether they proved recently enough that it is them for what is sensitive."""
        return at < self.authenticated_at + RECENT


def has_ended(session: Session, roles: frozenset[Role], *, at: datetime) -> bool:
    """Whether a session is over by its age, or because nothing was done in it."""
    if session.stage is not Stage.FULL:
        return at >= session.begun_at + HALFWAY
    return at >= session.begun_at + LONGEST or (idles_out(roles) and at >= session.used_at + IDLE)


def idles_out(roles: frozenset[Role]) -> bool:
    permissions = permissions_of(*roles)
    sensitive = any(GRANTS[permission].reveals or GRANTS[permission].moves_money for permission in permissions)
    return sensitive or Permission.MANAGE_ACCOUNTS in permissions
