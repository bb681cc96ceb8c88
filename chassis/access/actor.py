"""Who gives a command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.permissions import FrontEnd, Permission


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """When and how somebody signed in last, or signed in again. `factor` is what they had besides a password."""

    at: datetime
    factor: str | None = None


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who signed in at a front-end, as it vouches for them.

    `name` is their identifier there, not what they are called. `therapist_id` is there for therapists alone.
    `confirmed_by` is the other person, where a command needs two.
    """

    name: str
    permissions: frozenset[Permission]
    signed_in: SignIn
    therapist_id: UUID | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Whoever gives a command: a person at a front-end, or a front-end itself for what is open to it.

    `who` goes on record. `command_id`, `signed_at` and `digest` are there if somebody signed.
    """

    front_end: FrontEnd
    person: Person | None = None
    command_id: UUID | None = None
    signed_at: datetime | None = None
    digest: str = ""
    """Of the command's arguments; see `chassis.access.tokens`."""
    redelivered: bool = False
    """Whether the broker has delivered this very message before, to a process that went down with it."""

    @property
    def who(self) -> str:
        return f"{self.front_end}:{self.person.name}" if self.person else self.front_end.value
