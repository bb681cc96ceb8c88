"""The address book: whom a message can reach, and since when no longer. Addresses themselves are kept encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import ReferralId, TherapistId


@dataclass(kw_only=True, eq=False)
class Client:
    """Whoever asked for help under a referral. Facts about them may arrive in any order."""

    referral_id: ReferralId
    contact: bytes | None = None
    contact_sequence: int = 0
    withdrawn_at: datetime | None = None
    removed_at: datetime | None = None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def is_removed(self) -> bool:
        """Whether the address was removed for good; one that arrives later is not kept."""
        return self.removed_at is not None

    def takes(self, sequence: int) -> bool:
        """Whether an address of this sequence number is newer than what is known, and may be kept at all."""
        return not self.is_removed and (self.contact is None or sequence > self.contact_sequence)

    def keep(self, contact: bytes, *, sequence: int) -> None:
        self.contact, self.contact_sequence = contact, sequence

    def withdraw(self, *, at: datetime) -> bool:
        """False if the referral was withdrawn before."""
        if self.is_withdrawn:
            return False
        self.withdrawn_at = at
        return True

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
        return sequence > self.contact_sequence
