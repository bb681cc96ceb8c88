"""Finds payments, and records which of them pays how much of which invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import (
    InvoiceId,
    PaymentId,
    TherapistId,
)
from services.billing.domain.payments import Payment
from services.billing.store import tables


def find_payment(session: Session, payment_id: PaymentId) -> Payment | None:
    """A payment, locked."""
    return identity_map.lock(session, Payment, payment_id)


def find_payment_at_bank(session: Session, bank_id: str) -> Payment | None:
    """The payment that the bank knows by this. If there is none, nobody else adds it until the unit ends."""
    identity_map.lock_key(session, Payment, bank_id)
    return session.scalars(select(Payment).where(tables.payment_table.c.bank_id == bank_id)).one_or_none()


def lock_payment_id(session: Session, payment_id: PaymentId) -> None:
    """Lets nobody else add a payment of this identifier until the unit ends."""
    identity_map.lock_key(session, Payment, payment_id)


def find_same_payment(
    session: Session, invoice_id: InvoiceId, *, reference: str, paid_on: date, pence: int
) -> Payment | None:
    """A payment that stands and looks the same, of those without an identifier of the bank's."""
    table = tables.payment_table.c
    same = (table.invoice_id == invoice_id, table.reference == reference, table.amount_pence == pence)
    stands = (table.paid_on == paid_on, table.bank_id.is_(None), table.reversed_at.is_(None))
    return session.scalars(select(Payment).where(*same, *stands).order_by(table.received_at).limit(1)).one_or_none()


def spare_payments(session: Session, therapist_id: TherapistId) -> Sequence[tuple[PaymentId, int]]:
    """The therapist's payments of which something is in no invoice yet, the oldest first, and how much."""
    payment, allocation = tables.payment_table.c, tables.allocation_table.c
    used = select(allocation.payment_id, func.sum(allocation.pence).label("pence")).group_by(allocation.payment_id)
    theirs = select(payment.id).where(payment.therapist_id == therapist_id)
    used_up = used.where(allocation.payment_id.in_(theirs)).subquery()
    spare = payment.amount_pence - func.coalesce(used_up.c.pence, 0)
    found = (
        select(payment.id, spare)
        .outerjoin(used_up, used_up.c.payment_id == payment.id)
        .where(payment.therapist_id == therapist_id, payment.reversed_at.is_(None), spare > 0)
        .order_by(payment.received_at, payment.id)
    )
    return [(payment_id, int(pence)) for payment_id, pence in session.execute(found)]


def allocated(
    session: Session, *, payment_id: PaymentId | None = None, invoice_id: InvoiceId | None = None
) -> Sequence[tuple[PaymentId, InvoiceId, int]]:
    """What of a payment is in which invoices, or of which payments in an invoice; the newest first."""
    table = tables.allocation_table.c
    pence = func.sum(table.pence)
    wanted = table.payment_id == payment_id if payment_id else table.invoice_id == invoice_id
    found = (
        select(table.payment_id, table.invoice_id, pence)
        .where(wanted)
        .group_by(table.payment_id, table.invoice_id)
        .having(pence > 0)
        .order_by(func.max(table.made_at).desc(), table.payment_id, table.invoice_id)
    )
    return [(payment, invoice, int(sum_)) for payment, invoice, sum_ in session.execute(found)]


def allocate(
    session: Session, id_: UUID, *, payment_id: PaymentId, invoice_id: InvoiceId, pence: int, at: datetime
) -> None:
    row = {"id": id_, "payment_id": payment_id, "invoice_id": invoice_id, "pence": pence, "made_at": at}
    session.execute(tables.allocation_table.insert(), row)
