"""Payments from therapists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from contracts.vocabulary import (
    InvoiceId,
    PaymentId,
    TherapistId,
)


@dataclass(kw_only=True, eq=False)
class Payment:
    """Money from a therapist, for the invoice that they named."""

    id: PaymentId
    therapist_id: TherapistId
    invoice_id: InvoiceId
    reference: str
    amount_pence: int
    paid_on: date
    received_at: datetime
    bank_id: str | None = None
    reversed_at: datetime | None = None
