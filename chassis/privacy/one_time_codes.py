"""Codes that are sent to somebody's own telephone or mailbox, and typed where they were asked for."""

from __future__ import annotations

import re
import secrets

DIGITS = 6


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def digits_of(typed: str) -> str:
    """The digits of what was typed, without spaces and other characters."""
    return re.sub(r"[^0-9]", "", typed)
