"""Payments from therapists, as they come: in parts, too much, twice under one reference, and taken back."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from contracts.commands.billing import PaymentView, RecordPayment, ReversalView, ReversePayment
from contracts.events.billing import PaymentReceived, PaymentReversed
from contracts.vocabulary import PaymentId
from services.billing.application import credit, memberships
from services.billing.application.books import post
from services.billing.application.views import reversal_view
from services.billing.dependencies import BillingUnit
from services.billing.domain import ledger
from services.billing.domain.days import day_of
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment
from services.billing.domain.therapists import Therapist
from services.billing.errors import PaymentIdUsed, UnknownInvoice, UnknownPayment
from services.billing.store import invoices, payments, reversals, rows, therapists
from services.billing.store.reversals import Reversal


def record_payment(unit: BillingUnit, request: RecordPayment) -> PaymentView:
    """Takes a payment. What its invoice doesn't need is set against what else is owed, or stands to their credit.

    Recorded twice, it counts once. Raises UnknownInvoice or PaymentIdUsed.
    """
    invoice = invoices.find_invoice(unit.session, request.invoice_id)
    if invoice is None:
        raise UnknownInvoice("There is no such invoice; look it up in the therapist's account.")
    therapist = therapists.lock_therapist(unit.session, invoice.therapist_id)
    invoice = invoices.lock_invoice(unit.session, invoice.id)
    payment = _find_same(unit, request)
    if payment is None:
        payment = _take(unit, therapist, invoice, request)
    return PaymentView(
        payment_id=payment.id,
        invoice_id=payment.invoice_id,
        amount_pence=payment.amount_pence,
        outstanding_pence=invoice.outstanding_pence,
        credit_pence=therapist.credit_pence,
    )


def reverse_payment(unit: BillingUnit, request: ReversePayment) -> ReversalView:
    """Takes a payment back by a journal of its own: what it had paid is owed again. Raises UnknownPayment."""
    payment = payments.find_payment(unit.session, request.payment_id)
    if payment is None:
        raise UnknownPayment("There is no such payment; look it up by what was answered when it was recorded.")
    known = reversals.find_reversal(unit.session, payment.id)
    if known:
        return reversal_view(known, changed=False)
    reversal = Reversal(unit.now, unit.actor.who, request.reason.value)
    _take_back(unit, payment, reversal)
    unit.emit(
        PaymentReversed(
            payment_id=payment.id,
            invoice_id=payment.invoice_id,
            therapist_id=payment.therapist_id,
            amount_pence=payment.amount_pence,
            reason=request.reason,
        )
    )
    return reversal_view(reversal, changed=True)


def _find_same(unit: BillingUnit, request: RecordPayment) -> Payment | None:
    """The payment on record that is this one. Raises PaymentIdUsed where its identifier is another's."""
    if request.payment_id is None and request.bank_id is None:
        paid_on = request.paid_on or day_of(unit.now)
        return payments.find_same_payment(
            unit.session,
            request.invoice_id,
            reference=request.reference,
            paid_on=paid_on,
            pence=request.amount_pence,
        )
    known = None
    if request.payment_id:
        payments.lock_payment_id(unit.session, request.payment_id)
        known = payments.find_payment(unit.session, request.payment_id)
    if known is None and request.bank_id:
        known = payments.find_payment_at_bank(unit.session, request.bank_id)
    if known is None:
        return None
    same_bank_id = request.bank_id is None or known.bank_id is None or request.bank_id == known.bank_id
    asked = (request.invoice_id, request.amount_pence)
    if (known.invoice_id, known.amount_pence) != asked or not same_bank_id:
        raise PaymentIdUsed("This identifier is on record for another payment; check which one the bank shows.")
    return known


def _take(unit: BillingUnit, therapist: Therapist, invoice: Invoice, request: RecordPayment) -> Payment:
    payment = Payment(
        id=request.payment_id or PaymentId(unit.new_id()),
        therapist_id=therapist.id,
        invoice_id=invoice.id,
        reference=request.reference,
        amount_pence=request.amount_pence,
        paid_on=request.paid_on or day_of(unit.now),
        received_at=unit.now,
        bank_id=request.bank_id,
    )
    rows.add(unit.session, payment)
    pence = payment.amount_pence
    post(unit, ledger.payment_received(payment_id=payment.id, therapist_id=therapist.id, pence=pence))
    therapist.credit_pence += pence
    credit.set_against(unit, therapist, [invoice])
    also_paid = credit.settle_account(unit, therapist)
    unit.emit(
        PaymentReceived(
            payment_id=payment.id,
            invoice_id=invoice.id,
            therapist_id=therapist.id,
            amount_pence=pence,
            outstanding_pence=invoice.outstanding_pence,
            credit_pence=therapist.credit_pence,
        )
    )
    memberships.revive_paid(unit, [invoice, *also_paid])
    return payment


def _take_back(unit: BillingUnit, payment: Payment, reversal: Reversal) -> None:
    therapist = therapists.lock_therapist(unit.session, payment.therapist_id)
    payment.reversed_at = reversal.at
    reversals.add_reversal(unit.session, payment.id, reversal)
    pence = payment.amount_pence
    post(unit, ledger.payment_reversed(payment_id=payment.id, therapist_id=therapist.id, pence=pence))
    owed_again = credit.withdraw_payment(unit, therapist, payment)
    credit.settle_account(unit, therapist)
    memberships.remind_unpaid(unit, owed_again)
    unit.record_audit(AuditAction.REVERSED, who=reversal.by, subject_id=payment.id, reason=reversal.reason)
