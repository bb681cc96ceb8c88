"""What somebody has typed so far: in this process's memory alone, encrypted, and gone after a while.

The key is made from the token in the person's cookie and kept nowhere else, so that the memory by itself tells nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from web.site.forms.definition import Answer

NONCE_BYTES = 12


@dataclass
class Session:
    """One person's visit. Times are RFC 3339. `reference` is there once the request was sent."""

    route: str
    started_at: str
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    answers: dict[str, Answer] = field(default_factory=dict)
    agreed_at: dict[str, str] = field(default_factory=dict)
    suspected: list[str] = field(default_factory=list)
    knows_how_to_leave: bool = False
    reference: str | None = None

    def forget_answers(self) -> None:
        """What was sent is not kept here any longer."""
        self.answers, self.agreed_at = {}, {}


class NoRoom(Exception):
    """As many people as may be are writing at this moment."""


@dataclass(eq=False)
class _Kept:
    content: bytes
    expires_at: datetime
    is_empty: bool
    """Nothing is lost with it: nothing was answered yet, or all of it was sent."""

    lock: threading.Lock = field(default_factory=threading.Lock)


class Sessions:
    """All sessions of this process, `most` at a time, so that its memory stays bounded."""

    def __init__(self, now: Callable[[], datetime], lasts: timedelta, most: int) -> None:
        self._now, self._lasts, self._most = now, lasts, most
        self._kept: dict[str, _Kept] = {}
        self._beginning = threading.Lock()

    def begin(self, session: Session) -> str:
        """Keeps a new session, and gives the token that opens it. Raises NoRoom."""
        token = secrets.token_urlsafe(32)
        kept = _Kept(_encrypt(token, session), self._now() + self._lasts, is_empty=not session.answers)
        with self._beginning:
            self._sweep()
            if len(self._kept) >= self._most:
                self._make_room()
            self._kept[_id_of(token)] = kept
        return token

    @contextmanager
    def open(self, token: str | None) -> Iterator[Session | None]:
        """The session for as long as the block runs, for nobody else at the same time; None if it has ended.

        Opening it makes it last anew, and what the block changes of it is kept.
        """
        kept = self._kept.get(_id_of(token)) if token else None
        if kept is None or token is None:
            yield None
            return
        with kept.lock:
            if kept.expires_at <= self._now() or _id_of(token) not in self._kept:
                self.end(token)
                yield None
                return
            session = _decrypt(token, kept.content)
            try:
                yield session
            finally:
                kept.content, kept.expires_at = _encrypt(token, session), self._now() + self._lasts
                kept.is_empty = not session.answers

    def end(self, token: str | None) -> None:
        """Forgets a session at once."""
        if token:
            self._kept.pop(_id_of(token), None)

    def __len__(self) -> int:
        self._sweep()
        return len(self._kept)

    def _make_room(self) -> None:
        """Ends the empty session that has been idle for longest. What somebody has written is never given up for
        somebody who comes later. Raises NoRoom if there is none."""
        empty = [(kept.expires_at, id_) for id_, kept in list(self._kept.items()) if kept.is_empty]
        if not empty:
            raise NoRoom
        self._kept.pop(min(empty)[1], None)

    def _sweep(self) -> None:
        now = self._now()
        for id_ in [id_ for id_, kept in list(self._kept.items()) if kept.expires_at <= now]:
            self._kept.pop(id_, None)


def _id_of(token: str) -> str:
    return hashlib.sha256(b"id:" + token.encode()).hexdigest()


def _key_of(token: str) -> bytes:
    return hashlib.sha256(b"key:" + token.encode()).digest()


def _encrypt(token: str, session: Session) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key_of(token)).encrypt(nonce, json.dumps(vars(session)).encode(), None)


def _decrypt(token: str, content: bytes) -> Session:
    plain = json.loads(AESGCM(_key_of(token)).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], None))
    plain["answers"] = {
        name: tuple(answer) if isinstance(answer, list) else answer for name, answer in plain["answers"].items()
    }
    return Session(**plain)
