"""How a command is named in the audit log, and what it is about."""

from __future__ import annotations

import re
from enum import StrEnum
from uuid import UUID

from contracts.command import Command

MOST = 64
"""Characters of a reason in the audit log."""

_BEGINS_A_WORD = re.compile("(?<!^)(?=[A-Z])")


def named_with_reason(command: Command) -> str:
    """`suspend_therapist: insurance_expired`, or the name alone if the command carries no code for a reason."""
    name = _BEGINS_A_WORD.sub("_", type(command).__name__).lower()
    reason = getattr(command, "reason", None)
    return (f"{name}: {reason.value}" if isinstance(reason, StrEnum) else name)[:MOST]


def subject_of(command: Command) -> UUID | None:
    """The first identifier in it: that of the referral, the therapist or whatever else it is about."""
    values = (getattr(command, name) for name in command.schema.fields)
    return next((value for value in values if isinstance(value, UUID)), None)
