"""Who gives whom which role, and who has to confirm it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.permissions import GRANTS, Permission, Role, permissions_of
from web.shared.accounts.domain.refusals import (
    AlreadyGranted,
    GrantToYourself,
    NothingWaits,
    NotOfStaff,
    SecondPersonNeeded,
)
from web.shared.accounts.domain.vocabulary import GrantPolicy, GrantState


@dataclass(frozen=True)
class RoleGrant:
    """A role that somebody was given. `granted_by` is None if an OpenID provider's groups gave it.

    `alone`: it was taken while no other account existed, which every administrator sees.
    """

    account_id: UUID
    role: Role
    state: GrantState
    granted_by: UUID | None
    granted_at: datetime
    alone: bool = False
    confirmed_by: UUID | None = None
    confirmed_at: datetime | None = None

    @property
    def is_effective(self) -> bool:
        return self.state is GrantState.EFFECTIVE


def is_sensitive(role: Role) -> bool:
    """Whether a role reveals personal data or moves money, so that a second person has a say."""
    return any(GRANTS[permission].reveals or GRANTS[permission].moves_money for permission in permissions_of(role))


def is_told(role: Role, policy: GrantPolicy) -> bool:
    """Whether all leads and administrators are told that somebody has a role: also of administrators, who could make
    an account for a second person that there isn't."""
    return role is Role.ADMINISTRATOR or (policy is GrantPolicy.TELL and is_sensitive(role))


def effective_roles(grants: Iterable[RoleGrant]) -> frozenset[Role]:
    return frozenset(grant.role for grant in grants if grant.is_effective)


def grant(
    role: Role,
    *,
    to: UUID,
    by: UUID | None,
    has: Iterable[RoleGrant],
    allowed: frozenset[Role],
    accounts: int,
    policy: GrantPolicy,
    at: datetime,
) -> RoleGrant:
    """A role for somebody; it waits where it has to be confirmed. `has` are the grants that they have, `allowed` the
    roles that accounts here may have, and `accounts` is how many accounts there are.

    Raises NotOfStaff, AlreadyGranted, GrantToYourself.
    """
    if role not in allowed:
        raise NotOfStaff
    if any(grant.role is role for grant in has):
        raise AlreadyGranted
    if by == to:
        if accounts > 1:
            raise GrantToYourself
        return RoleGrant(to, role, GrantState.EFFECTIVE, by, at, alone=True)
    waits = is_sensitive(role) and policy is GrantPolicy.CONFIRM
    return RoleGrant(to, role, GrantState.WAITING if waits else GrantState.EFFECTIVE, by, at)


def may_confirm(roles: frozenset[Role]) -> bool:
    """Whether somebody with these roles may be the second person."""
    return Role.SAFEGUARDING_LEAD in roles or Permission.MANAGE_ACCOUNTS in permissions_of(*roles)


def confirmed(waiting: RoleGrant | None, *, by: UUID, at: datetime) -> RoleGrant:
    """Raises NothingWaits, SecondPersonNeeded."""
    check_decides(waiting, by=by)
    assert waiting is not None
    return replace(waiting, state=GrantState.EFFECTIVE, confirmed_by=by, confirmed_at=at)


def check_decides(waiting: RoleGrant | None, *, by: UUID) -> None:
    """Raises NothingWaits, SecondPersonNeeded."""
    if waiting is None or waiting.is_effective:
        raise NothingWaits
    if by in (waiting.granted_by, waiting.account_id):
        raise SecondPersonNeeded
