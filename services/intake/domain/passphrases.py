"""Recognising a client by reference and passphrase, without keeping the passphrase.

What is kept is an HMAC under the service's master key: whoever has only the database can't try passphrases against
it, and whoever has the master key too has the client's record itself. After a few wrong tries the referral stays
locked for a while.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import datetime, timedelta
from uuid import UUID

from services.intake.domain.referral import Referral

TRIES_BEFORE_LOCK = 5
LOCK = timedelta(minutes=15)


def mark_of(passphrase: str, *, referral_id: UUID, key: bytes) -> bytes:
    """The 32 bytes kept of a passphrase. Case and spacing are forgiven: people write it down and read it out."""
    plain = " ".join(unicodedata.normalize("NFKC", passphrase).casefold().split())
    return hmac.new(key, referral_id.bytes + plain.encode(), hashlib.sha256).digest()


def recognises(referral: Referral, passphrase: str, *, key: bytes, at: datetime) -> bool:
    """Whether the passphrase is the referral's. Counts a wrong one, and refuses every one while locked."""
    if referral.locked_until is not None and at < referral.locked_until:
        return False
    first_given_for = referral.passphrase_subject or referral.id
    if hmac.compare_digest(referral.passphrase_mark, mark_of(passphrase, referral_id=first_given_for, key=key)):
        referral.failed_passphrases = 0
        return True
    referral.failed_passphrases += 1
    if referral.failed_passphrases >= TRIES_BEFORE_LOCK:
        referral.failed_passphrases, referral.locked_until = 0, at + LOCK
    return False
