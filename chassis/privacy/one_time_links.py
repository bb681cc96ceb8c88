"""The secrets of one-time links: made by a service, carried by one letter, and known again by their hash alone."""

from __future__ import annotations

import hashlib
import secrets

from chassis.privacy.sealing import Keyring, Unopenable
from contracts.sealed import LinkSecret
from contracts.shape import InvalidShape

TOKEN_BYTES = 16


def new_token() -> str:
    """128 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """What is kept of a secret. It is long and random, so a plain hash can't be guessed backwards."""
    return hashlib.sha256(token.encode()).digest()


def hash_in(keyring: Keyring, sealed: str) -> bytes | None:
    """The hash of the secret that a page asks with; None for what can't be opened, which is nobody's link."""
    try:
        return hash_of(keyring.open(LinkSecret, sealed).token)
    except (Unopenable, InvalidShape):
        return None
