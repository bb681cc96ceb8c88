"""Secrets of sessions and one-time links: 256 random bits, of which only the hash is stored."""

from __future__ import annotations

import hashlib
import secrets


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """It is long and random, so that a plain hash can't be reversed by guessing."""
    return hashlib.sha256(secret.encode()).digest()
