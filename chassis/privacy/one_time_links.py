"""The secrets of one-time links: a service makes one for a letter, and stores only its hash, to recognise it later."""

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
    """What is stored of a secret. It is long and random, so that a plain hash can't be reversed by guessing."""
    return hashlib.sha256(token.encode()).digest()


def hash_in(keyring: Keyring, sealed: str) -> bytes | None:
    """The hash of the sealed secret that a page sends; None if it can't be opened, and so belongs to no link."""
    try:
        return hash_of(keyring.open(LinkSecret, sealed).token)
    except (Unopenable, InvalidShape):
        return None
