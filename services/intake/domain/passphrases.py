"""Verifies a client by reference and passphrase, without storing the passphrase.

What is stored is an HMAC under the service's master key: whoever has only the database can't try passphrases against
it, and whoever has the master key too has the client's record itself. After a few wrong tries the referral stays
locked for a while.

A reference that nobody has is tried against a decoy, with the same work as for a referral, locked or not: how long an
answer takes would otherwise tell which references there are.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.passphrase import LOCK, TRIES_BEFORE_LOCK, folded
from services.intake.domain.referral import Referral

DECOYS = 64
"""So many that requests about different unknown references seldom wait for the same row's lock."""

NO_DECOY = UUID(int=DECOYS)


@dataclass
class Guard:
    """What a passphrase is tried against: a referral's, or a decoy's, which no passphrase opens."""

    id: UUID
    passphrase_mark: bytes
    passphrase_subject: UUID | None
    failed_passphrases: int
    locked_until: datetime | None


def decoy_for(reference: str, *, key: bytes) -> UUID:
    """Which decoy a reference is tried against: always the same, and nobody else can tell which."""
    return UUID(int=hmac.digest(key, b"decoy" + reference.encode(), hashlib.sha256)[0] % DECOYS)


def digest_of_passphrase(passphrase: str, *, referral_id: UUID, key: bytes) -> bytes:
    """The 32 bytes stored of a passphrase. Case, spaces and kinds of quotes don't count: people read it out."""
    return _digest(folded(passphrase), referral_id, key)


def _former_digest_of_passphrase(passphrase: str, *, referral_id: UUID, key: bytes) -> bytes:
    """What was stored of a passphrase while quotes and dashes still counted as they were typed."""
    return _digest(" ".join(unicodedata.normalize("NFKC", passphrase).casefold().split()), referral_id, key)


def _digest(plain: str, referral_id: UUID, key: bytes) -> bytes:
    return hmac.new(key, referral_id.bytes + plain.encode(), hashlib.sha256).digest()


def verify_passphrase(guard: Guard | Referral, passphrase: str, *, key: bytes, at: datetime) -> bool:
    """Says whether the passphrase is right. Counts a wrong one, and refuses every one while locked.

    It takes the same work, and changes the guard, whatever is wrong, so that the time of an answer reveals nothing.
    """
    if guard.locked_until is not None and at >= guard.locked_until:
        guard.failed_passphrases, guard.locked_until = 0, None
    first_given_for = guard.passphrase_subject or guard.id
    digests = [
        digest_of(passphrase, referral_id=first_given_for, key=key)
        for digest_of in (digest_of_passphrase, _former_digest_of_passphrase)
    ]
    # Both are compared, whichever is right, so that an answer takes the same time.
    matches = [hmac.compare_digest(guard.passphrase_mark, digest) for digest in digests]
    is_right = any(matches)
    if is_right and guard.locked_until is None:
        guard.failed_passphrases = 0
        return True
    guard.failed_passphrases += 1
    if guard.failed_passphrases >= TRIES_BEFORE_LOCK and guard.locked_until is None:
        guard.locked_until = at + LOCK
    return False
