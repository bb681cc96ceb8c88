"""Sessions: what a visitor has typed so far, encrypted in this process's memory, until it expires.

The key is derived from the token in the visitor's cookie, which is stored nowhere else. So a dump of the memory alone
can't be read.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from web.shared.forms.definition import Answer
from web.shared.limits import Pseudonyms

NONCE_BYTES = 12


@dataclass
class Session:
    """One person's visit. Times are RFC 3339. `reference` is set once the request was sent.

    `draft` has the unchecked fields of the page `draft_page`, saved while the visitor switches the language.
    """

    route: str
    started_at: str
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    answers: dict[str, Answer] = field(default_factory=dict)
    agreed_at: dict[str, str] = field(default_factory=dict)
    suspected: list[str] = field(default_factory=list)
    knows_how_to_leave: bool = False
    draft_page: str = ""
    draft: dict[str, list[str]] = field(default_factory=dict)
    reference: str | None = None
    outlook: list[str] = field(default_factory=list)
    """Codes of what happens next, once the request was sent."""

    def save_draft(self, page_id: str, fields: dict[str, list[str]]) -> None:
        self.draft_page, self.draft = page_id, fields

    def forget_draft(self) -> None:
        self.draft_page, self.draft = "", {}

    def forget_answers(self) -> None:
        """Forgets the answers after they were sent."""
        self.answers, self.agreed_at = {}, {}
        self.forget_draft()


class NoRoom(Exception):
    """The limit of sessions is reached, in all or from one address, and none of them is empty."""


@dataclass(eq=False)
class _StoredSession:
    content: bytes
    expires_at: datetime
    begun_from: bytes
    is_empty: bool
    """Whether it may be dropped: nothing was answered yet, or everything was sent."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """All sessions of this process: at most `most`, to bound its memory, and at most `most_per_address` from one
    address, so that nobody can take all of them. `lasts` is how long one lasts after its last use."""

    def __init__(self, now: Callable[[], datetime], lasts: timedelta, most: int, most_per_address: int) -> None:
        self._now, self._lasts, self._most, self._most_per_address = now, lasts, most, most_per_address
        self._pseudonyms = Pseudonyms()
        self._stored: dict[str, _StoredSession] = {}
        self._beginning = threading.Lock()

    def begin(self, session: Session, address: str, *, token: str | None = None) -> str:
        """Stores a new session, and returns the token that opens it: `token`, or a new one. Raises NoRoom."""
        token = token or secrets.token_urlsafe(32)
        expires_at, begun_from = self._now() + self._lasts, self._pseudonyms.of(address)
        stored = _StoredSession(_encrypt(token, session), expires_at, begun_from, is_empty=_is_empty(session))
        with self._beginning:
            self._sweep()
            self._make_room(begun_from)
            self._stored[_id_of(token)] = stored
        return token

    def turn(self, token: str | None) -> AbstractAsyncContextManager[object]:
        """A lock around opening the session, one for each. Others wait for it without taking a thread."""
        stored = self._stored.get(_id_of(token)) if token else None
        return stored.turn if stored else nullcontext()

    @contextmanager
    def open(self, token: str | None) -> Iterator[Session | None]:
        """The session while the block runs; None if it has ended. The caller must have its `turn`.

        Opening it restarts its time, and changes made in the block are stored.
        """
        stored = self._stored.get(_id_of(token)) if token else None
        if stored is None or token is None:
            yield None
            return
        if stored.expires_at <= self._now():
            self.end(token)
            yield None
            return
        session = _decrypt(token, stored.content)
        try:
            yield session
        finally:
            stored.content, stored.expires_at = _encrypt(token, session), self._now() + self._lasts
            stored.is_empty = _is_empty(session)

    def read(self, token: str | None) -> Session | None:
        """The session as it was stored last, for a page that only looks: needs no `turn`, and restarts no time."""
        stored = self._stored.get(_id_of(token)) if token else None
        if stored is None or token is None or stored.expires_at <= self._now():
            return None
        return _decrypt(token, stored.content)

    def end(self, token: str | None) -> None:
        """Forgets a session at once."""
        if token:
            self._stored.pop(_id_of(token), None)

    def __len__(self) -> int:
        self._sweep()
        return len(self._stored)

    def _make_room(self, address: bytes) -> None:
        """At the limit, ends the empty session that has been idle for longest: of this address if it has reached its
        own limit, otherwise of the address with the most sessions. A session with answers is never ended for a
        newcomer. Raises NoRoom if there is no empty one."""
        stored = list(self._stored.items())
        counts = Counter(session.begun_from for _, session in stored)
        if counts[address] >= self._most_per_address:
            stored = [(id_, session) for id_, session in stored if session.begun_from == address]
        elif len(stored) < self._most:
            return
        empty = [(-counts[session.begun_from], session.expires_at, id_) for id_, session in stored if session.is_empty]
        if not empty:
            raise NoRoom
        self._stored.pop(min(empty)[-1], None)

    def _sweep(self) -> None:
        now = self._now()
        for id_ in [id_ for id_, stored in list(self._stored.items()) if stored.expires_at <= now]:
            self._stored.pop(id_, None)


def _is_empty(session: Session) -> bool:
    return not (session.answers or session.draft)


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
