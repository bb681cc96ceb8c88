"""Invoices to therapists: a year's membership, or the fee for one referral."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.vocabulary import InvoiceId, MatchId, ReferralId, TherapistId


class InvoiceKind(StrEnum):
    MEMBERSHIP = "membership"
    REFERRAL_FEE = "referral_fee"


@dataclass(kw_only=True, eq=False)
class Invoice:
    """What a therapist owes for one thing. A membership's names the year it is for, a referral fee's its match."""

    id: InvoiceId
    therapist_id: TherapistId
    kind: InvoiceKind
    amount_pence: int
    issued_on: date
    due_on: date
    membership_from: date | None = None
    referral_id: ReferralId | None = None
    match_id: MatchId | None = None
    paid_pence: int = 0
    credited_pence: int = 0
    reminded_on: date | None = None

    @property
    def outstanding_pence(self) -> int:
        """What is still owed."""
        return max(0, self.amount_pence - self.paid_pence - self.credited_pence)

    @property
    def overpaid_pence(self) -> int:
        """What was paid and is no longer owed, because the fee was given back."""
        return max(0, self.paid_pence + self.credited_pence - self.amount_pence)

    @property
    def is_settled(self) -> bool:
        return self.outstanding_pence == 0

    @property
    def is_credited(self) -> bool:
        return self.credited_pence > 0

    def pay(self, *, pence: int) -> int:
        """Takes as much of a payment as is outstanding; the pence. The rest stays with the payer."""
        taken = min(pence, self.outstanding_pence)
        self.paid_pence += taken
        return taken

    def unpay(self, *, pence: int) -> int:
        """Gives up a part of what was paid; the pence."""
        given = min(pence, self.paid_pence)
        self.paid_pence -= given
        return given

    def credit(self) -> int:
        """Gives the whole amount back; the pence, 0 if that was done before."""
        pence = self.amount_pence - self.credited_pence
        self.credited_pence += pence
        return pence

    def take_credit_back(self) -> int:
        """Asks for what was given back after all; the pence, 0 if nothing was."""
        pence, self.credited_pence = self.credited_pence, 0
        return pence
