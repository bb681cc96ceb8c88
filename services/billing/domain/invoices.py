"""Invoices to therapists: a year's membership, or the fee for one referral."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.vocabulary import InvoiceId, MatchId, ReferralId, TherapistId
from services.billing.domain.refusal import RuleBroken, pounds


class PaymentRefused(RuleBroken):
    """A payment that doesn't fit its invoice."""


class Overpaid(PaymentRefused):
    """More than is outstanding."""


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
        """What is still owed; below nothing when a paid fee was credited, and the charity owes the therapist."""
        return self.amount_pence - self.paid_pence - self.credited_pence

    @property
    def is_settled(self) -> bool:
        return self.outstanding_pence <= 0

    @property
    def is_credited(self) -> bool:
        return self.credited_pence > 0

    def pay(self, *, pence: int) -> None:
        """Takes a payment of all or a part. Raises Overpaid."""
        if pence > self.outstanding_pence:
            left = pounds(max(0, self.outstanding_pence))
            raise Overpaid(f"{pounds(pence)} is more than the {left} outstanding; record that much, return the rest.")
        self.paid_pence += pence

    def credit(self) -> int:
        """Gives the whole amount back; the pence, 0 if that was done before."""
        pence = self.amount_pence - self.credited_pence
        self.credited_pence += pence
        return pence
