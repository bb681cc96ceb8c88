"""Encryption at rest, per person: AES-256-GCM under a data key of that person, itself wrapped by a master key.

Destroying the data key makes everything that was encrypted under it unreadable, wherever a copy lies.
"""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from chassis.store.prepared import prepared
from chassis.store.unit_of_work import upsert
from contracts.shape import Shape
from contracts.text import clean

NONCE_BYTES = 12
DESTROYED = b""
"""The value stored instead of a destroyed key."""

ShapeT = TypeVar("ShapeT", bound=Shape)


class Erased(LookupError):
    """This person's data key was destroyed, or there never was one."""


class WrongMasterKey(Exception):
    """The master key is not the one this database's data keys were wrapped with."""


class Vault:
    """Encrypts and decrypts shapes about one person. `master_key` is 32 bytes in base64."""

    def __init__(self, data_keys: Table, master_key: str) -> None:
        wanted = data_keys.c.subject_id == bindparam("subject_id")
        self._wrapped_key = prepared(select(data_keys.c.wrapped).where(wanted))
        self._insert_key = prepared(data_keys.insert())
        self._data_keys = data_keys
        self._master_key = base64.b64decode(master_key)
        if len(self._master_key) != 32:
            raise ValueError("a master key is 32 bytes in base64; `leeward keys make` makes one")

    def encrypt(self, session: Session, subject_id: UUID, shape: Shape, *, at: datetime) -> bytes:
        """The shape, encrypted for storage; makes the person's data key if there never was one. Raises Erased."""
        key = self._find_key(session, subject_id) or self._new_key(session, subject_id, at)
        nonce = os.urandom(NONCE_BYTES)
        plain = shape.encode()
        return nonce + AESGCM(key).encrypt(nonce, plain, subject_id.bytes)

    def decrypt(self, session: Session, subject_id: UUID, kind: type[ShapeT], stored: bytes) -> ShapeT:
        """What was encrypted for this person. Raises Erased."""
        key = self._find_key(session, subject_id)
        if key is None:
            raise Erased("nothing was ever kept of this person")
        try:
            plain = AESGCM(key).decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], subject_id.bytes)
        except InvalidTag:
            raise WrongMasterKey("stored data doesn't match this person's key") from None
        return kind.from_json(_cleaned(json.loads(plain)))

    def destroy(self, session: Session, subject_id: UUID, *, at: datetime) -> None:
        """Destroys the person's data key, and with it everything encrypted under it; they are never given another."""
        gone = {"subject_id": subject_id, "wrapped": DESTROYED, "created_at": at}
        statement = upsert(session, self._data_keys).values(gone)
        session.connection().execute(statement.on_conflict_do_update(index_elements=["subject_id"], set_=gone))

    def _find_key(self, session: Session, subject_id: UUID) -> bytes | None:
        wrapped = session.execute(self._wrapped_key, {"subject_id": subject_id}).scalar()
        if wrapped is None:
            return None
        if wrapped == DESTROYED:
            raise Erased("this person's data was erased")
        try:
            return aes_key_unwrap(self._master_key, wrapped)
        except InvalidUnwrap:
            raise WrongMasterKey("the master key doesn't open this database's data keys") from None

    def _new_key(self, session: Session, subject_id: UUID, at: datetime) -> bytes:
        key = AESGCM.generate_key(bit_length=256)
        wrapped = aes_key_wrap(self._master_key, key)
        session.execute(self._insert_key, {"subject_id": subject_id, "wrapped": wrapped, "created_at": at})
        return key


def _cleaned(data: Any) -> Any:
    """Parsed JSON with clean texts: some was stored before texts were checked, and must still open."""
    if isinstance(data, str):
        return clean(data)
    if isinstance(data, list):
        return [_cleaned(item) for item in data]
    if isinstance(data, dict):
        return {name: _cleaned(item) for name, item in data.items()}
    return data


def new_master_key() -> str:
    """A fresh master key, in base64."""
    return base64.b64encode(AESGCM.generate_key(bit_length=256)).decode()
