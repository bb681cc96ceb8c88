"""A new contact that a client names themselves: it counts once the code that was sent there was typed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.sealed import SafeChannel
from contracts.vocabulary import ContactChangeState, Party, ReferralId

TRIES = 5
VALID_FOR = timedelta(minutes=30)
"""How long a code can be typed. It may go by text message to somebody without a signal."""
CODES_A_DAY = 5
"""So that nobody has messages sent to strangers."""
DAY = timedelta(days=1)
PENDING = frozenset({ContactChangeState.CODE_SENT, ContactChangeState.WRONG_CODE, ContactChangeState.WITH_A_PERSON})
TAKES_A_CODE = frozenset({SafeChannel.EMAIL, SafeChannel.TEXT})
"""What reaches its reader while they wait. Otherwise a person makes sure."""


def digest_of_code(code: str, *, referral_id: ReferralId, key: bytes) -> bytes:
    """The 32 bytes that are stored of a code."""
    return hmac.digest(key, b"code" + referral_id.bytes + code.encode(), hashlib.sha256)


@dataclass(eq=False, kw_only=True)
class ContactChange:
    """A referral's last contact change. `content` is the new contact, encrypted; it is deleted once settled or void."""

    referral_id: ReferralId
    whose: Party
    content: bytes | None
    old_is_safe: bool
    code_mark: bytes | None
    tries_left: int
    asked_at: datetime
    state: ContactChangeState
    codes: int = 0
    """How many codes were sent since `codes_since`."""
    codes_since: datetime

    @property
    def expires_at(self) -> datetime:
        return self.asked_at + VALID_FOR

    def may_send(self, *, at: datetime) -> bool:
        """Whether one more code may be sent today."""
        return at >= self.codes_since + DAY or self.codes < CODES_A_DAY

    def count_code(self, *, at: datetime) -> None:
        if at >= self.codes_since + DAY:
            self.codes, self.codes_since = 0, at
        self.codes += 1

    def try_code(self, digest: bytes, *, at: datetime) -> bool:
        """Uses up the code if it is right, in time and unused. Counts a wrong one; after five none is right."""
        if self.code_mark is None:
            return False
        if at >= self.expires_at:
            self._void(ContactChangeState.EXPIRED)
            return False
        if hmac.compare_digest(self.code_mark, digest):
            self.code_mark = None
            return True
        self.tries_left -= 1
        self.state = ContactChangeState.WRONG_CODE
        if self.tries_left <= 0:
            self._void(ContactChangeState.TOO_OFTEN)
        return False

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING

    def expire(self) -> None:
        """It can't count any more: nobody typed the code in time, or something else has come between."""
        if self.is_pending:
            self._void(ContactChangeState.EXPIRED)

    def settle(self, state: ContactChangeState) -> None:
        self._void(state)

    def _void(self, state: ContactChangeState) -> None:
        self.state, self.content, self.code_mark = state, None, None
