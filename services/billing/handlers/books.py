"""What several handlers do to the books."""

from __future__ import annotations

from chassis.ports import Unit
from contracts.events.billing import ReferralFeeCharged, ReferralFeeCredited
from contracts.vocabulary import CreditNoteId, InvoiceId
from services.billing import store
from services.billing.domain import ledger
from services.billing.domain.days import day_of
from services.billing.domain.fees import due_on
from services.billing.domain.invoices import Invoice, InvoiceKind
from services.billing.domain.ledger import Journal
from services.billing.settings import BillingSettings
from services.billing.tables import Match

BillingUnit = Unit[BillingSettings]


def post(unit: BillingUnit, journal: Journal) -> None:
    store.post(unit.session, journal, id_=unit.new_id(), at=unit.now)


def charge_referral_fee(unit: BillingUnit, match: Match) -> None:
    """The therapist owes the fee for the referral they accepted."""
    today = day_of(unit.now)
    invoice = Invoice(
        id=InvoiceId(unit.new_id()),
        therapist_id=match.therapist_id,
        kind=InvoiceKind.REFERRAL_FEE,
        amount_pence=unit.tools.referral_fee_pence,
        issued_on=today,
        due_on=due_on(issued_on=today, days=unit.tools.invoice_days),
        referral_id=match.referral_id,
        match_id=match.id,
    )
    store.add(unit.session, invoice)
    pence = invoice.amount_pence
    post(unit, ledger.referral_fee_charged(match_id=match.id, therapist_id=match.therapist_id, pence=pence))
    unit.emit(
        ReferralFeeCharged(
            invoice_id=invoice.id,
            referral_id=match.referral_id,
            match_id=match.id,
            therapist_id=match.therapist_id,
            amount_pence=pence,
        )
    )


def credit_referral_fee(unit: BillingUnit, match: Match) -> None:
    """Gives the fee back, unless none was charged or it was given back before."""
    invoice = store.find_fee_invoice(unit.session, match.id)
    pence = invoice.credit() if invoice else 0
    if not invoice or not pence:
        return
    note_id = CreditNoteId(unit.new_id())
    store.add_credit_note(unit.session, note_id, invoice, pence, day_of(unit.now))
    post(unit, ledger.referral_fee_credited(match_id=match.id, therapist_id=match.therapist_id, pence=pence))
    unit.emit(
        ReferralFeeCredited(
            credit_note_id=note_id,
            invoice_id=invoice.id,
            referral_id=match.referral_id,
            match_id=match.id,
            therapist_id=match.therapist_id,
            amount_pence=pence,
        )
    )
