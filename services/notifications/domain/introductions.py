"""A client's introduction to a therapist: who may see how the client is reached, by what code, and for how long."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from contracts.typed.faults import Unreadable
from contracts.typed.telephones import read_telephone
from contracts.vocabulary import LinkState, MatchId, ReferralId, TherapistId
from contracts.watermark import is_newer

TRIES = 5
"""How often a code may be typed."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def takes_texts(telephone: str | None) -> bool:
    """Whether a text message to this number, written in any form, can arrive."""
    try:
        return read_telephone(telephone or "").takes_texts
    except Unreadable:
        return False


def hash_of_code(code: str, *, key: bytes) -> bytes:
    """What is stored of a code. A million codes are soon tried out, so the hash needs a key."""
    return hmac.digest(key, b"code:" + code.encode(), sha256)


def hash_of_right(right: str, of: Introduction) -> bytes:
    """What is stored of a browser's secret: a different hash for each introduction that the browser may see."""
    return sha256(f"right:{right}:{of.referral_id}:{of.therapist_id}".encode()).digest()


@dataclass(kw_only=True, eq=False)
class Introduction:
    """One client and one therapist. `contact` is the newest that intake released to this therapist, encrypted.

    Only the newest code can be used.
    """

    referral_id: ReferralId
    therapist_id: TherapistId
    contact: bytes | None = None
    contact_sequence: int = 0
    code_hash: bytes | None = None
    code_made_at: datetime | None = None
    code_tries: int = 0

    def takes(self, sequence: int) -> bool:
        return self.contact is None or is_newer(sequence, self.contact_sequence)

    def give_code(self, code_hash: bytes, *, at: datetime) -> None:
        self.code_hash, self.code_made_at, self.code_tries = code_hash, at, 0

    def code_until(self, *, at: datetime, lasts: timedelta) -> datetime | None:
        """Until when the code may be typed; None if there is no such code."""
        if self.code_hash is None or self.code_made_at is None or self.code_tries >= TRIES:
            return None
        until = self.code_made_at + lasts
        return until if at < until else None

    def try_code(self, code_hash: bytes, *, at: datetime, lasts: timedelta) -> bool:
        """Counts a try, and returns whether the code was right. A code ends once it was right, or wrong five times."""
        if self.code_hash is None or self.code_until(at=at, lasts=lasts) is None:
            return False
        self.code_tries += 1
        if not hmac.compare_digest(code_hash, self.code_hash):
            return False
        self.code_hash = self.code_made_at = None
        return True

    def wait_until(self, *, sent: Sequence[datetime], at: datetime, lasts: timedelta, an_hour: int) -> datetime | None:
        """From when a new code may be asked for; None for now. `sent` is when codes went out in the last hour.

        After five wrong tries the next code has to wait for as long as this one would have lasted.
        """
        waits = [sorted(sent)[-an_hour] + timedelta(hours=1)] if len(sent) >= an_hour else []
        if self.code_made_at is not None and self.code_tries >= TRIES:
            waits.append(self.code_made_at + lasts)
        latest = max(waits, default=at)
        return latest if latest > at else None


@dataclass(kw_only=True, eq=False)
class Link:
    """The one-time link of an e-mail that introduces a client, or says that something about them has changed."""

    token_hash: bytes
    referral_id: ReferralId
    therapist_id: TherapistId
    made_at: datetime


@dataclass(kw_only=True, eq=False)
class Right:
    """One browser in which the right code was typed: it may see this introduction until `until`."""

    right_hash: bytes
    referral_id: ReferralId
    therapist_id: TherapistId
    until: datetime


@dataclass(kw_only=True, eq=False)
class Therapy:
    """What is known of a match: what other services say, in whatever order, and what its therapist reported."""

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    matched_at: datetime | None = None
    ended_at: datetime | None = None
    end_sequence: int = 0
    """The sequence number of matching's newest fact about whether it has ended."""
    first_session_on: date | None = None
    attendance_sequence: int = 0
    """The sequence number of billing's newest fact about its sessions."""
    contact_made_on: date | None = None
    not_attended: bool = False

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None

    def end(self, *, at: datetime | None, sequence: int) -> None:
        """It has ended, or with None goes on, unless something newer is known."""
        if is_newer(sequence, self.end_sequence):
            self.ended_at, self.end_sequence = at, sequence

    def meet(self, *, on: date | None, sequence: int) -> None:
        """They have met first on that day, or with None have not met yet, unless something newer is known."""
        if is_newer(sequence, self.attendance_sequence):
            self.first_session_on, self.attendance_sequence = on, sequence


def newest(therapies: Sequence[Therapy], therapist_id: TherapistId) -> Therapy | None:
    """The newest match with this therapist."""
    with_them = [therapy for therapy in therapies if therapy.therapist_id == therapist_id]
    return max(with_them, key=lambda therapy: (therapy.matched_at or _NEVER, therapy.match_id), default=None)


def state_of(
    link: Link,
    introduction: Introduction,
    therapies: Sequence[Therapy],
    *,
    may_act: bool,
    at: datetime,
    lasts: timedelta,
) -> LinkState:
    """What can be done with a link. `may_act`: the client hasn't withdrawn, and the therapist isn't suspended.

    ANSWERED means that the therapy is over.
    """
    own = newest(therapies, link.therapist_id)
    if own and own.has_ended:
        return LinkState.ANSWERED
    if introduction.contact is None or not may_act or (own and _is_followed(own, therapies)):
        return LinkState.WITHDRAWN
    return LinkState.EXPIRED if at >= link.made_at + lasts else LinkState.OPEN


def _is_followed(own: Therapy, therapies: Sequence[Therapy]) -> bool:
    """Whether another therapist has taken the client on since."""
    if own.matched_at is None:
        return False
    others = (therapy.matched_at for therapy in therapies if therapy.therapist_id != own.therapist_id)
    return any(matched_at is not None and matched_at > own.matched_at for matched_at in others)
