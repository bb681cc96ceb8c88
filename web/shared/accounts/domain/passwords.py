"""Passwords: what is good enough, and how they are kept (argon2id)."""

from __future__ import annotations

import re
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 200
LEAST_SCORE = 3
"""Of zxcvbn, from 0 to 4: withstands 10^8 guesses."""

LOOKED_AT = 72
"""zxcvbn takes long over long passwords, and what is good in its first characters is good."""

AT_ONCE = 2
"""How many passwords are hashed at a time: each takes 64 MB, and anybody may send one."""

TOO_SHORT = f"Choose a password of at least {LEAST_CHARACTERS} characters."
TOO_LONG = f"Choose a password of at most {MOST_CHARACTERS} characters."
TOO_EASY = "This password is too easy to guess. Three or four words that have nothing to do with each other are good."


def weakness(password: str, *, about: tuple[str, ...] = ()) -> str | None:
    """Why a password isn't good enough, in words for whoever chose it; None if it is. `about` are words that somebody
    who knows them would try: name, e-mail address, the charity's name."""
    if len(password) < LEAST_CHARACTERS:
        return TOO_SHORT
    if len(password) > MOST_CHARACTERS:
        return TOO_LONG
    return TOO_EASY if zxcvbn(_without(about, password)[:LOOKED_AT] or "-")["score"] < LEAST_SCORE else None


def _without(about: tuple[str, ...], password: str) -> str:
    """What is left of a password without words that are known. zxcvbn's own way with them counts two known words with a
    year between them as good."""
    parts = {part for word in about for part in re.split(r"[\s@.]+", word.lower()) if len(part) > 2}
    for part in sorted(parts, key=len, reverse=True):
        password = re.sub(re.escape(part), "", password, flags=re.IGNORECASE)
    return password


class Passwords:
    """Hashes and checks passwords. It takes the same time whether or not there is a hash to check against."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = BoundedSemaphore(AT_ONCE)
        self._nobodys = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        with self._turns:
            return self._hasher.hash(password)

    def are_right(self, hashed: str | None, password: str) -> bool:
        try:
            with self._turns:
                self._hasher.verify(hashed or self._nobodys, password[:MOST_CHARACTERS])
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None
