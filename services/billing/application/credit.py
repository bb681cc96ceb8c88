"""A therapist's credit, and how it is set against what they owe.

What a therapist owes is one account of the ledger. Which payment pays which invoice is kept beside it, in rows that are
only ever added to. Credit is the part of valid payments that no invoice has needed. Whoever calls or does any of it
has locked the therapist.
"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.vocabulary import InvoiceId, PaymentId
from services.billing.dependencies import BillingUnit
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment
from services.billing.domain.therapists import Therapist
from services.billing.store import invoices, payments, therapists


def pay_from_credit(unit: BillingUnit, invoice: Invoice) -> int | None:
    """Sets the therapist's credit against a new invoice. Returns the pence so paid, None if there is no credit."""
    therapist = therapists.lock_therapist(unit.session, invoice.therapist_id)
    if not therapist.credit_pence:
        return None
    before = therapist.credit_pence
    set_against(unit, therapist, [invoice])
    return before - therapist.credit_pence


def settle_account(unit: BillingUnit, therapist: Therapist) -> Sequence[Invoice]:
    """Sets the therapist's credit against what they owe, the oldest first. Returns the invoices that were owed."""
    if not therapist.credit_pence:
        return ()
    owed = invoices.lock_unsettled(unit.session, therapist.id)
    set_against(unit, therapist, owed)
    return owed


def set_against(unit: BillingUnit, therapist: Therapist, invoices: Sequence[Invoice]) -> None:
    for payment_id, spare in payments.spare_payments(unit.session, therapist.id):
        left = spare
        for invoice in invoices:
            taken = invoice.pay(pence=left)
            if taken:
                _allocate(unit, payment_id, invoice.id, taken)
                left -= taken
        therapist.credit_pence -= spare - left


def free_overpaid(unit: BillingUnit, therapist: Therapist, invoice: Invoice) -> None:
    """Turns what was paid of a fee that has been given back into credit."""
    for payment_id, invoice_id, pence in payments.allocated(unit.session, invoice_id=invoice.id):
        given_up = invoice.unpay(pence=min(pence, invoice.overpaid_pence))
        if given_up:
            _allocate(unit, payment_id, invoice_id, -given_up)
            therapist.credit_pence += given_up


def withdraw_payment(unit: BillingUnit, therapist: Therapist, payment: Payment) -> Sequence[Invoice]:
    """Takes a payment out of every invoice and out of the credit. Returns the invoices, which are owed again."""
    touched, credit = [], payment.amount_pence
    for payment_id, invoice_id, pence in payments.allocated(unit.session, payment_id=payment.id):
        invoice = invoices.lock_invoice(unit.session, invoice_id)
        invoice.unpay(pence=pence)
        _allocate(unit, payment_id, invoice_id, -pence)
        credit -= pence
        touched.append(invoice)
    therapist.credit_pence -= credit
    return touched


def _allocate(unit: BillingUnit, payment_id: PaymentId, invoice_id: InvoiceId, pence: int) -> None:
    payments.allocate(
        unit.session, unit.new_id(), payment_id=payment_id, invoice_id=invoice_id, pence=pence, at=unit.now
    )
