"""An account: one person who signs in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.permissions import Role
from web.shared.accounts.domain.grants import RoleGrant, effective_roles
from web.shared.accounts.domain.refusals import LastAdministrator
from web.shared.accounts.domain.vocabulary import State


@dataclass(frozen=True)
class Account:
    """Somebody's account. `totp_secret` is encrypted, and `totp_step` the last step whose code was used."""

    id: UUID
    email: str
    name: str
    state: State
    created_at: datetime
    password_hash: str | None = None
    totp_secret: bytes | None = None
    totp_step: int | None = None
    provider_subject: str | None = None
    """Who they are at the OpenID provider, if they sign in there."""


@dataclass(frozen=True)
class Person:
    """An account with its roles and how many passkeys it has."""

    account: Account
    grants: tuple[RoleGrant, ...] = ()
    passkeys: int = 0

    @property
    def roles(self) -> frozenset[Role]:
        """What they may do it by now: nothing unless the account is active."""
        return effective_roles(self.grants) if self.account.state is State.ACTIVE else frozenset()

    @property
    def has_second_factor(self) -> bool:
        return self.account.totp_secret is not None or self.passkeys > 0


def normal_email(email: str) -> str:
    """E-mail addresses are compared in lower case, so that one person has one account."""
    return email.strip().lower()


def check_not_last_administrator(account_id: UUID, administrators: Sequence[UUID]) -> None:
    """Raises LastAdministrator if nobody else could manage accounts. `administrators` have active accounts."""
    if account_id in administrators and len(administrators) == 1:
        raise LastAdministrator
