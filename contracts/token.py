"""What a front-end states and signs about a command and whoever gives it; see `chassis.access.tokens`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from marshmallow import validate

from contracts.permissions import FrontEnd
from contracts.shape import Shape

Identifier = Annotated[str, validate.Regexp(r"[A-Za-z0-9._-]+\Z"), validate.Length(max=100)]


class CommandToken(Shape):
    """A command, and who gives it. `permissions` that a service doesn't know are ignored.

    `signed_in_at` and `factor` are of the person's last sign-in, or of signing in again. `digest` is the SHA-256, in
    hex, of the arguments as JSON with sorted keys. `confirmed_by` is the second person, where a command needs two.
    """

    front_end: FrontEnd
    audience: Identifier
    command: Identifier
    command_id: UUID
    digest: Annotated[str, validate.Length(equal=64)]
    person: Identifier
    permissions: Annotated[tuple[Identifier, ...], validate.Length(max=200)]
    signed_in_at: datetime
    factor: Identifier | None = None
    therapist_id: UUID | None = None
    confirmed_by: Identifier | None = None
    signed_at: datetime
