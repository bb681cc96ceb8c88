"""People who give commands in tests, vouched for by a front-end's key in a system's workspace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.access.actor import Person, SignIn
from chassis.access.tokens import Signer
from chassis.rpc import Sign
from contracts.permissions import CEILINGS, FrontEnd, Permission
from leeward.console.operator import login

ME = f"operator:{login()}"
"""Who is on record for what is done at the command line."""


def person(
    name: str = "sam",
    *,
    permissions: Collection[Permission] | None = None,
    signed_in_before: timedelta = timedelta(0),
    factor: str | None = "totp",
    therapist_id: UUID | None = None,
    confirmed_by: str | None = "alex",
) -> Person:
    """Somebody of the charity who has just signed in, may do everything, and whom a colleague confirms."""
    return Person(
        name=name,
        permissions=frozenset(CEILINGS[FrontEnd.CONSOLE] if permissions is None else permissions),
        signed_in=SignIn(at=datetime.now(UTC) - signed_in_before, factor=factor),
        therapist_id=therapist_id,
        confirmed_by=confirmed_by,
    )


def sign_as(keys: Path, name: str = "sam", *, front_end: FrontEnd = FrontEnd.CONSOLE, **is_: Any) -> Sign:
    """Signs commands for a `person`, who has always just signed in."""
    signer = Signer(keys, front_end)

    def sign(service: str, command: str, fields: Mapping[str, Any], command_id: UUID | None) -> str:
        return signer.sign(person(name, **is_), service, command, fields, command_id)

    return sign
