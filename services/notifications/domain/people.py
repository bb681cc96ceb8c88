"""The address book: whom a message can reach, and since when no longer. Addresses are encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import ReferralId, TherapistId
from contracts.watermark import is_newer


@dataclass(kw_only=True, eq=False)
class Client:
    """Whoever asked for help under a referral, and whoever wrote for them. Facts about them may arrive in any order."""

    referral_id: ReferralId
    contact: bytes | None = None
    contact_sequence: int = 0
    withdrawn_at: datetime | None = None
    removed_at: datetime | None = None
    standing_sequence: int = 0
    """The sequence number of intake's newest fact about whether the referral goes on."""
    keep_until: datetime | None = None
    """After a withdrawal that may be a mistake: until when the address is stored, though nothing is sent."""

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def is_removed(self) -> bool:
        """Whether the address was removed for good; one that arrives later is not stored."""
        return self.removed_at is not None

    def takes(self, sequence: int) -> bool:
        """Whether an address of this sequence number is newer than what is known, and may be stored at all."""
        return not self.is_removed and (self.contact is None or is_newer(sequence, self.contact_sequence))

    def record_contact(self, contact: bytes, *, sequence: int) -> None:
        self.contact, self.contact_sequence = contact, sequence

    def withdraw(self, *, at: datetime, sequence: int, keep_until: datetime | None = None) -> bool:
        """False if the referral was withdrawn before, or something newer is known of it."""
        if self.is_withdrawn or not is_newer(sequence, self.standing_sequence):
            return False
        self.withdrawn_at, self.standing_sequence, self.keep_until = at, sequence, keep_until
        return True

    def reopen(self, *, sequence: int) -> bool:
        """The withdrawal was a mistake. False if something newer is known, or the address is gone for good."""
        if not is_newer(sequence, self.standing_sequence):
            return False
        self.withdrawn_at, self.standing_sequence, self.keep_until = None, sequence, None
        return not self.is_removed

    def goes_on_since(self, sequence: int) -> bool:
        """Whether a fact newer than this sequence number says that the referral goes on."""
        return not self.is_withdrawn and 0 < sequence < self.standing_sequence

    def remove(self, *, at: datetime) -> None:
        self.contact = None
        self.removed_at = self.removed_at or at


@dataclass(kw_only=True, eq=False)
class Therapist:
    """A therapist, with the newest address that has arrived."""

    therapist_id: TherapistId
    contact: bytes
    contact_sequence: int

    def takes(self, sequence: int) -> bool:
        return is_newer(sequence, self.contact_sequence)
