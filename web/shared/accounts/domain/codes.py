"""Codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp

STEP_SECONDS = 30
DRIFT = 1
"""How many steps a telephone's clock may be off, either way."""

RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that look alike."""


def new_totp_secret() -> str:
    return pyotp.random_base32()


def totp_address(secret: str, *, email: str, issuer: str) -> str:
    """What the QR code says to the app."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def accepted_step(secret: str, code: str, *, at: datetime, last: int | None) -> int | None:
    """The time step whose code this is; None if it is of none, or of one not after `last`, the last that was used."""
    typed, now = "".join(code.split()), int(at.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in range(now - DRIFT, now + DRIFT + 1):
        right = hmac.compare_digest(totp.at(step * STEP_SECONDS), typed if typed.isascii() else "")
        if right and (last is None or step > last):
            return step
    return None


def new_recovery_codes() -> tuple[str, ...]:
    """Codes of ten characters with 49 random bits, as `abcde-fghjk`."""

    def five() -> str:
        return "".join(secrets.choice(ALPHABET) for _ in range(5))

    return tuple(f"{five()}-{five()}" for _ in range(RECOVERY_CODES))


def hash_of_recovery_code(code: str, *, account: str) -> bytes:
    """What is stored of a recovery code. It is random and its tries are limited, so a plain hash is enough; the account
    is part of it, so that equal hashes tell nothing."""
    typed = "".join(character for character in code.casefold() if character.isalnum())
    return hashlib.sha256(f"recovery:{account}:{typed}".encode()).digest()
