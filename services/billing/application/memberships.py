"""The membership's year: begun by the first match, reminded of, renewed, lapsed and revived."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from contracts.events.billing import MembershipLapsed, MembershipReminded, MembershipRenewed, MembershipStarted
from contracts.vocabulary import InvoiceId, TherapistId
from services.billing.application import credit
from services.billing.application.books import post
from services.billing.dependencies import BillingUnit
from services.billing.domain import ledger
from services.billing.domain.days import day_of, end_of, start_of
from services.billing.domain.invoices import Invoice, InvoiceKind
from services.billing.domain.matches import Match
from services.billing.domain.membership import Membership
from services.billing.store import invoices, rows, therapists

RENEW, REMIND, LAPSE = "renew_membership", "remind_of_membership", "lapse_membership"


def begin_at_first_match(unit: BillingUnit, match: Match) -> None:
    """Makes the first year's fee due, unless the therapist has been a member before."""
    if therapists.find_membership(unit.session, match.therapist_id):
        return
    first_day = day_of(match.matched_at)
    invoice = _charge_year(unit, match.therapist_id, first_day)
    membership = Membership.begin(therapist_id=match.therapist_id, on=first_day, invoice_id=invoice.id)
    rows.add(unit.session, membership)
    unit.set_timer(RENEW, match.therapist_id, start_of(membership.renews_on))
    unit.emit(
        MembershipStarted(
            therapist_id=match.therapist_id,
            invoice_id=invoice.id,
            starts_on=membership.starts_on,
            ends_on=membership.ends_on,
            amount_pence=invoice.amount_pence,
            from_credit_pence=credit.pay_from_credit(unit, invoice),
        )
    )


def renew(unit: BillingUnit, therapist_id: TherapistId) -> None:
    """A year is over: the next one's fee is due. A membership that lapsed meanwhile waits until it is paid for."""
    membership = therapists.find_membership(unit.session, therapist_id)
    if membership is None or not membership.may_renew(on=day_of(unit.now)):
        return
    invoice = _charge_year(unit, membership.therapist_id, membership.renews_on)
    membership.renew(invoice_id=invoice.id)
    _emit_renewal(unit, membership, invoice, from_credit_pence=credit.pay_from_credit(unit, invoice))


def remind(unit: BillingUnit, invoice_id: InvoiceId) -> None:
    """Reminds the therapist of an unpaid fee some days before the membership lapses, and says until when to pay."""
    invoice = invoices.lock_invoice(unit.session, invoice_id)
    if not invoice.is_settled:
        _remind(unit, invoice)


def lapse(unit: BillingUnit, invoice_id: InvoiceId) -> None:
    """The grace period is over: no new offers until the fee is paid. Nobody lapses who was not reminded in time."""
    invoice = invoices.lock_invoice(unit.session, invoice_id)
    membership = therapists.find_membership(unit.session, invoice.therapist_id)
    if membership is None or not membership.may_lapse(invoice_id=invoice.id, is_settled=invoice.is_settled):
        return
    if invoice.reminded_on is None:
        _remind(unit, invoice)
    elif day_of(unit.now) <= (last_day := _last_day(unit, invoice, invoice.reminded_on)):
        unit.set_timer(LAPSE, invoice.id, end_of(last_day))
    else:
        _lapse(unit, membership, invoice)


def revive_paid(unit: BillingUnit, invoices: Iterable[Invoice]) -> None:
    """A lapsed membership whose fee has been paid after all runs for a year from today."""
    for invoice in invoices:
        membership = therapists.find_membership(unit.session, invoice.therapist_id)
        if membership and membership.is_revived_by(invoice_id=invoice.id, is_settled=invoice.is_settled):
            membership.revive(on=day_of(unit.now))
            _emit_renewal(unit, membership, invoice)


def remind_unpaid(unit: BillingUnit, invoices: Iterable[Invoice]) -> None:
    """After a payment was reversed, reminds at once of a fee that is owed again, before the membership lapses."""
    for invoice in invoices:
        membership = therapists.find_membership(unit.session, invoice.therapist_id)
        if membership and membership.may_lapse(invoice_id=invoice.id, is_settled=invoice.is_settled):
            _remind(unit, invoice)


def _remind(unit: BillingUnit, invoice: Invoice) -> None:
    invoice.reminded_on = day_of(unit.now)
    last_day = _last_day(unit, invoice, invoice.reminded_on)
    unit.set_timer(LAPSE, invoice.id, end_of(last_day))
    unit.emit(
        MembershipReminded(
            therapist_id=invoice.therapist_id,
            invoice_id=invoice.id,
            outstanding_pence=invoice.outstanding_pence,
            lapses_on=last_day + timedelta(days=1),
        )
    )


def _last_day(unit: BillingUnit, invoice: Invoice, reminded_on: date) -> date:
    return unit.dependencies.membership.last_day_after_notice(issued_on=invoice.issued_on, reminded_on=reminded_on)


def _lapse(unit: BillingUnit, membership: Membership, invoice: Invoice) -> None:
    membership.lapse()
    unit.emit(
        MembershipLapsed(
            therapist_id=membership.therapist_id,
            invoice_id=invoice.id,
            lapsed_on=day_of(unit.now),
        )
    )


def _emit_renewal(
    unit: BillingUnit, membership: Membership, invoice: Invoice, *, from_credit_pence: int | None = None
) -> None:
    unit.set_timer(RENEW, membership.therapist_id, start_of(membership.renews_on))
    unit.emit(
        MembershipRenewed(
            therapist_id=membership.therapist_id,
            invoice_id=invoice.id,
            starts_on=membership.starts_on,
            ends_on=membership.ends_on,
            amount_pence=invoice.amount_pence,
            from_credit_pence=from_credit_pence,
        )
    )


def _charge_year(unit: BillingUnit, therapist_id: TherapistId, first_day: date) -> Invoice:
    # The grace period runs from when the fee is asked for, not from a first day that a late message may have put back.
    policy, today = unit.dependencies.membership, day_of(unit.now)
    invoice = Invoice(
        id=InvoiceId(unit.new_id()),
        therapist_id=therapist_id,
        kind=InvoiceKind.MEMBERSHIP,
        amount_pence=policy.fee_pence,
        issued_on=today,
        due_on=today,
        membership_from=first_day,
    )
    rows.add(unit.session, invoice)
    pence = invoice.amount_pence
    post(unit, ledger.membership_fee_charged(invoice_id=invoice.id, therapist_id=therapist_id, pence=pence))
    unit.set_timer(REMIND, invoice.id, start_of(policy.reminder_on(issued_on=today)))
    unit.set_timer(LAPSE, invoice.id, end_of(policy.last_day_of_grace(issued_on=today)))
    return invoice
