"""What the staff's pages publish, on `accounts.events`: letters about accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from marshmallow import validate

from contracts.accounts import AccountId, StaffMatter
from contracts.event import Event
from contracts.permissions import Role
from contracts.shape import SealedTo

Letter = Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)]


class StaffInvited(Event, publisher="accounts", subject="account_id"):
    """Somebody was given an account, or is to set theirs up anew, by a one-time link.

    Name, address and link are sealed to notifications (`StaffLetter`).
    """

    account_id: AccountId
    renews: bool
    expires_at: datetime
    sealed: Letter


class StaffTold(Event, publisher="accounts", subject="account_id"):
    """Somebody with an account (`account_id`) is to know of what happened to an account (`about_id`): theirs or
    another's. Names and address are sealed to notifications (`StaffLetter`).
    """

    notice_id: UUID
    account_id: AccountId
    about_id: AccountId
    matter: StaffMatter
    role: Role | None = None
    sealed: Letter


class LetterTested(Event, publisher="accounts", subject="account_id"):
    """Somebody wants to see, before the service opens, that a letter arrives: one with a code goes to them.

    Name, address and code are sealed to notifications (`StaffLetter`).
    """

    test_id: UUID
    account_id: AccountId
    sealed: Letter
