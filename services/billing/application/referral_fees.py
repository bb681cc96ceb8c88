"""The referral fee: charged for a match, credited or charged again when it is known whether the client attended."""

from __future__ import annotations

from contracts.events.billing import ReferralFeeCharged, ReferralFeeCredited, ReferralFeeCreditReversed
from contracts.vocabulary import CreditNoteId, FeeCreditReason, InvoiceId
from services.billing.application import credit, memberships
from services.billing.application.books import post
from services.billing.dependencies import BillingUnit
from services.billing.domain import fees, ledger
from services.billing.domain.days import day_of
from services.billing.domain.invoices import Invoice, InvoiceKind
from services.billing.domain.matches import Match
from services.billing.domain.referrals import Referral
from services.billing.domain.therapists import Therapist
from services.billing.store import attended_sessions, invoices, rows, therapists


def charge_referral_fee(unit: BillingUnit, match: Match) -> None:
    """The therapist owes the fee for the referral they accepted."""
    today = day_of(unit.now)
    invoice = Invoice(
        id=InvoiceId(unit.new_id()),
        therapist_id=match.therapist_id,
        kind=InvoiceKind.REFERRAL_FEE,
        amount_pence=unit.dependencies.referral_fee_pence,
        issued_on=today,
        due_on=fees.due_on(issued_on=today, days=unit.dependencies.invoice_days),
        referral_id=match.referral_id,
        match_id=match.id,
    )
    rows.add(unit.session, invoice)
    pence = invoice.amount_pence
    post(unit, ledger.referral_fee_charged(match_id=match.id, therapist_id=match.therapist_id, pence=pence))
    unit.emit(
        ReferralFeeCharged(
            invoice_id=invoice.id,
            referral_id=match.referral_id,
            match_id=match.id,
            therapist_id=match.therapist_id,
            amount_pence=pence,
            from_credit_pence=credit.pay_from_credit(unit, invoice),
        )
    )


def settle_referral_fee(unit: BillingUnit, referral: Referral, match: Match, *, goes_on: bool = False) -> None:
    """Credits the fee, or charges it again, by what is known of the match. Nothing follows from silence.

    `goes_on`: the end for which the fee was credited is undone, so it is charged again even if no session is on record.
    """
    therapist = therapists.lock_therapist(unit.session, match.therapist_id)
    invoice = invoices.find_fee_invoice(unit.session, match.id)
    if invoice is None:
        return
    sessions = attended_sessions.sessions_attended(unit.session, match.id)
    reason = _credit_reason(unit, referral, match, sessions)
    if reason and not invoice.is_credited:
        _credit(unit, match, therapist, invoice, reason)
    elif reason is None and (sessions or goes_on) and invoice.is_credited:
        _charge_again(unit, match, therapist, invoice)


def is_said_not_attended(referral: Referral, match: Match) -> bool:
    """Whether somebody said that the client never attended with this therapist."""
    recorded = match.never_attended_at is not None
    return fees.said_not_attended(recorded=recorded, ending=referral.ending, match_end=match.end_reason)


def _credit_reason(unit: BillingUnit, referral: Referral, match: Match, sessions: int) -> FeeCreditReason | None:
    gone = fees.had_gone(ending=referral.ending, ended_at=referral.ended_at, matched_at=match.matched_at)
    if gone and not sessions:
        return FeeCreditReason.REFERRAL_GONE
    return fees.credit_reason(
        sessions=sessions,
        not_attended=is_said_not_attended(referral, match),
        match_end=match.end_reason,
        unhappy_within=unit.dependencies.unhappy_credit_sessions,
    )


def _credit(unit: BillingUnit, match: Match, therapist: Therapist, invoice: Invoice, reason: FeeCreditReason) -> None:
    pence, note_id = invoice.credit(), CreditNoteId(unit.new_id())
    invoices.add_credit_note(unit.session, note_id, invoice, pence, day_of(unit.now))
    post(unit, ledger.referral_fee_credited(credit_note_id=note_id, therapist_id=therapist.id, pence=pence))
    unit.emit(
        ReferralFeeCredited(
            credit_note_id=note_id,
            invoice_id=invoice.id,
            referral_id=match.referral_id,
            match_id=match.id,
            therapist_id=therapist.id,
            amount_pence=pence,
            reason=reason,
        )
    )
    credit.free_overpaid(unit, therapist, invoice)
    memberships.revive_paid(unit, credit.settle_account(unit, therapist))


def _charge_again(unit: BillingUnit, match: Match, therapist: Therapist, invoice: Invoice) -> None:
    pence, note_id = invoice.take_credit_back(), invoices.reverse_credit_note(unit.session, invoice, at=unit.now)
    post(unit, ledger.referral_fee_credit_reversed(credit_note_id=note_id, therapist_id=therapist.id, pence=pence))
    unit.emit(
        ReferralFeeCreditReversed(
            credit_note_id=note_id,
            invoice_id=invoice.id,
            referral_id=match.referral_id,
            match_id=match.id,
            therapist_id=therapist.id,
            amount_pence=pence,
        )
    )
    credit.settle_account(unit, therapist)
