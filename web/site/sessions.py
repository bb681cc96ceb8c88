"""What somebody has typed so far: in this process's memory alone, encrypted, and gone after a while.

The key is made from the token in the person's cookie and kept nowhere else, so that the memory by itself tells nothing.
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

from web.site.forms.definition import Answer
from web.site.limits import Pseudonyms

NONCE_BYTES = 12


@dataclass
class Session:
    """One person's visit. Times are RFC 3339. `reference` is there once the request was sent.

    `draft_page` is the page whose fields lie in `draft` as they were typed, while its language is switched.
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

    def keep_draft(self, page_id: str, fields: dict[str, list[str]]) -> None:
        self.draft_page, self.draft = page_id, fields

    def forget_draft(self) -> None:
        self.draft_page, self.draft = "", {}

    def forget_answers(self) -> None:
        """What was sent is not kept here any longer."""
        self.answers, self.agreed_at = {}, {}
        self.forget_draft()


class NoRoom(Exception):
    """As many people as may be are writing at this moment, in all or from one address."""


@dataclass(eq=False)
class _Kept:
    content: bytes
    expires_at: datetime
    begun_from: bytes
    is_empty: bool
    """Nothing is lost with it: nothing was answered yet, or all of it was sent."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """All sessions of this process: `most` at a time, so that its memory stays bounded, and of those no more than
    `most_per_address` from one address, so that nobody takes all of them."""

    def __init__(self, now: Callable[[], datetime], lasts: timedelta, most: int, most_per_address: int) -> None:
        self._now, self._lasts, self._most, self._most_per_address = now, lasts, most, most_per_address
        self._pseudonyms = Pseudonyms()
        self._kept: dict[str, _Kept] = {}
        self._beginning = threading.Lock()

    def begin(self, session: Session, address: str, *, token: str | None = None) -> str:
        """Keeps a new session, and gives the token that opens it: a new one, if none is given. Raises NoRoom."""
        token = token or secrets.token_urlsafe(32)
        expires_at, begun_from = self._now() + self._lasts, self._pseudonyms.of(address)
        kept = _Kept(_encrypt(token, session), expires_at, begun_from, is_empty=_is_empty(session))
        with self._beginning:
            self._sweep()
            self._make_room(begun_from)
            self._kept[_id_of(token)] = kept
        return token

    def turn(self, token: str | None) -> AbstractAsyncContextManager[object]:
        """Who has it may open the session; the next waits for it without a thread."""
        kept = self._kept.get(_id_of(token)) if token else None
        return kept.turn if kept else nullcontext()

    @contextmanager
    def open(self, token: str | None) -> Iterator[Session | None]:
        """The session for as long as the block runs, for whoever has its turn; None if it has ended.

        Opening it makes it last anew, and what the block changes of it is kept.
        """
        kept = self._kept.get(_id_of(token)) if token else None
        if kept is None or token is None:
            yield None
            return
        if kept.expires_at <= self._now():
            self.end(token)
            yield None
            return
        session = _decrypt(token, kept.content)
        try:
            yield session
        finally:
            kept.content, kept.expires_at = _encrypt(token, session), self._now() + self._lasts
            kept.is_empty = _is_empty(session)

    def end(self, token: str | None) -> None:
        """Forgets a session at once."""
        if token:
            self._kept.pop(_id_of(token), None)

    def __len__(self) -> int:
        self._sweep()
        return len(self._kept)

    def _make_room(self, address: bytes) -> None:
        """Ends, where there is no room, the empty session that has been idle for longest: of this address if it has as
        many as it may, otherwise of the address that has most. What somebody has written is never given up for
        somebody who comes later. Raises NoRoom if there is no empty one."""
        kept = list(self._kept.items())
        held = Counter(session.begun_from for _, session in kept)
        if held[address] >= self._most_per_address:
            kept = [(id_, session) for id_, session in kept if session.begun_from == address]
        elif len(kept) < self._most:
            return
        empty = [(-held[session.begun_from], session.expires_at, id_) for id_, session in kept if session.is_empty]
        if not empty:
            raise NoRoom
        self._kept.pop(min(empty)[-1], None)

    def _sweep(self) -> None:
        now = self._now()
        for id_ in [id_ for id_, kept in list(self._kept.items()) if kept.expires_at <= now]:
            self._kept.pop(id_, None)


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
