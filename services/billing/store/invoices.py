"""Finds invoices, and records credit notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    CreditNoteId,
    InvoiceId,
    MatchId,
    TherapistId,
)
from services.billing.domain.invoices import Invoice
from services.billing.store import tables
from services.billing.store.rows import locked, required

_invoice = tables.invoice_table.c

_FEE_INVOICE = prepared(locked(select(Invoice).where(_invoice.match_id == bindparam("match_id"))))


def find_invoice(session: Session, invoice_id: InvoiceId) -> Invoice | None:
    """An invoice, not locked: its therapist is."""
    return identity_map.find(session, Invoice, invoice_id)


def lock_invoice(session: Session, invoice_id: InvoiceId) -> Invoice:
    """An invoice, locked. Raises NotFound."""
    return required(identity_map.lock(session, Invoice, invoice_id))


def find_fee_invoice(session: Session, match_id: MatchId) -> Invoice | None:
    """The invoice for a match's referral fee, locked."""
    return session.scalars(_FEE_INVOICE, {"match_id": match_id}).one_or_none()


def invoices_of(session: Session, therapist_id: TherapistId) -> Sequence[Invoice]:
    """A therapist's invoices, the oldest first."""
    table = tables.invoice_table
    found = select(Invoice).where(table.c.therapist_id == therapist_id).order_by(table.c.issued_on, table.c.id)
    return session.scalars(found).all()


def lock_unsettled(session: Session, therapist_id: TherapistId) -> Sequence[Invoice]:
    """What a therapist still owes, locked, the oldest first."""
    owed = _invoice.amount_pence > _invoice.paid_pence + _invoice.credited_pence
    found = select(Invoice).where(_invoice.therapist_id == therapist_id, owed)
    return session.scalars(locked(found.order_by(_invoice.issued_on, _invoice.id))).all()


def add_credit_note(session: Session, id_: UUID, invoice: Invoice, pence: int, on: date) -> None:
    row = {"id": id_, "invoice_id": invoice.id, "amount_pence": pence, "issued_on": on}
    session.execute(tables.credit_note_table.insert(), row)


def reverse_credit_note(session: Session, invoice: Invoice, *, at: datetime) -> CreditNoteId:
    """Marks the credit note that stands as taken back; its identifier."""
    table = tables.credit_note_table
    stands = (table.c.invoice_id == invoice.id, table.c.reversed_at.is_(None))
    id_: CreditNoteId = session.execute(select(table.c.id).where(*stands)).scalar_one()
    session.execute(table.update().where(table.c.id == id_).values(reversed_at=at))
    return id_
