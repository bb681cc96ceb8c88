"""Payments from therapists."""

from __future__ import annotations

from contracts.commands.billing import PaymentView, RecordPayment
from contracts.events.billing import PaymentReceived
from contracts.vocabulary import PaymentId
from services.billing import store
from services.billing.domain import ledger
from services.billing.domain.invoices import Invoice
from services.billing.handlers import memberships
from services.billing.handlers.books import BillingUnit, post
from services.billing.handlers.refusals import ReferenceUsed, UnknownInvoice, refusing
from services.billing.store import Payment


def record_payment(unit: BillingUnit, request: RecordPayment) -> PaymentView:
    """Takes a payment of an invoice or a part of it. Told twice, it is taken once.

    Raises UnknownInvoice, ReferenceUsed or Overpaid.
    """
    invoice = store.find_invoice(unit.session, request.invoice_id)
    if invoice is None:
        raise UnknownInvoice("There is no such invoice; look it up in the therapist's account.")
    known = store.find_payment(unit.session, invoice.id, request.reference)
    if known is None:
        return _view(_take(unit, invoice, request), invoice)
    if known.amount_pence != request.amount_pence:
        raise ReferenceUsed("This reference is on record for another amount; check which one the bank shows.")
    return _view(known, invoice)


def _take(unit: BillingUnit, invoice: Invoice, request: RecordPayment) -> Payment:
    pence, therapist_id = request.amount_pence, invoice.therapist_id
    with refusing():
        invoice.pay(pence=pence)
    payment = Payment(PaymentId(unit.new_id()), pence)
    store.add_payment(unit.session, payment, invoice_id=invoice.id, reference=request.reference, received_at=unit.now)
    post(unit, ledger.payment_received(payment_id=payment.id, therapist_id=therapist_id, pence=pence))
    unit.emit(
        PaymentReceived(payment_id=payment.id, invoice_id=invoice.id, therapist_id=therapist_id, amount_pence=pence)
    )
    memberships.revive_if_paid(unit, invoice)
    return payment


def _view(payment: Payment, invoice: Invoice) -> PaymentView:
    return PaymentView(
        payment_id=payment.id,
        invoice_id=invoice.id,
        amount_pence=payment.amount_pence,
        outstanding_pence=max(0, invoice.outstanding_pence),
    )
