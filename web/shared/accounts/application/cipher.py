"""Encrypts the secrets of authenticator apps, so that the database alone signs nobody in."""

from __future__ import annotations

import base64
import os
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class Cipher:
    """AES-GCM under the application's master key; each secret is bound to its account."""

    def __init__(self, master_key: str) -> None:
        """Raises ValueError unless the key is 256 bits in base64."""
        key = base64.b64decode(master_key, validate=True)
        if len(key) != 32:
            raise ValueError("the master key has to be 256 bits in base64")
        self._aead = AESGCM(key)

    def encrypt(self, secret: str, account_id: UUID) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret.encode(), account_id.bytes)

    def decrypt(self, encrypted: bytes, account_id: UUID) -> str:
        return self._aead.decrypt(encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:], account_id.bytes).decode()
