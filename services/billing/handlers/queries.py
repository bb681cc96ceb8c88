"""What a person's screen asks of billing. Nothing here changes anything."""

from __future__ import annotations

from datetime import timedelta

from contracts.commands.billing import (
    AccountView,
    FundBalance,
    FundView,
    GetSubsidy,
    GetTherapistAccount,
    GetTrialBalance,
    InvoiceView,
    ListFunds,
    ListUnrecordedAttendance,
    SubsidyView,
    TherapistAccountView,
    TrialBalanceView,
    UnrecordedAttendance,
)
from services.billing.application.views import fund_view, subsidy_view
from services.billing.dependencies import BillingUnit
from services.billing.domain.days import day_of
from services.billing.domain.funds import Fund
from services.billing.domain.invoices import Invoice
from services.billing.domain.ledger import Account, AccountKind, TrialBalance
from services.billing.errors import UnknownReferral, UnknownTherapist
from services.billing.store import (
    funds,
    invoices,
    journals,
    matches,
    referrals,
    therapists,
)
from services.billing.store.journals import FundMovements


def list_funds(unit: BillingUnit, request: ListFunds) -> list[FundView]:
    """Every fund, the earliest to end first."""
    return [fund_view(fund, on=day_of(unit.now)) for fund in funds.all_funds(unit.session)]


def subsidy_of(unit: BillingUnit, request: GetSubsidy) -> SubsidyView:
    """How a referral's subsidy stands. Raises UnknownReferral."""
    referral = referrals.find_referral(unit.session, request.referral_id)
    if referral is None:
        raise UnknownReferral("Billing has not heard of this referral; check the identifier, or try again shortly.")
    return subsidy_view(unit, referral)


def therapist_account(unit: BillingUnit, request: GetTherapistAccount) -> TherapistAccountView:
    """A therapist's membership and invoices. Raises UnknownTherapist."""
    therapist = therapists.find_therapist(unit.session, request.therapist_id)
    if therapist is None:
        raise UnknownTherapist("Billing has not heard of this therapist; check the identifier, or try again shortly.")
    membership = therapists.find_membership(unit.session, request.therapist_id)
    return TherapistAccountView(
        therapist_id=request.therapist_id,
        membership=membership.state if membership else None,
        membership_starts_on=membership.starts_on if membership else None,
        membership_ends_on=membership.ends_on if membership else None,
        balance_pence=journals.balance_of(unit.session, request.therapist_id),
        credit_pence=therapist.credit_pence,
        invoices=tuple(map(_invoice_view, invoices.invoices_of(unit.session, request.therapist_id))),
    )


def trial_balance(unit: BillingUnit, request: GetTrialBalance) -> TrialBalanceView:
    """What stands on every account, and whether the funds' own figures are the ledger's."""
    totals, movements = journals.ledger_totals(unit.session), journals.fund_movements(unit.session)
    balances = tuple(_fund_balance(fund, totals, movements[fund.id]) for fund in funds.all_funds(unit.session))
    return TrialBalanceView(
        is_balanced=totals.is_balanced and all(fund.agrees for fund in balances),
        accounts=tuple(_account_view(account, pence) for account, pence in totals.totals.items()),
        funds=balances,
    )


def _invoice_view(invoice: Invoice) -> InvoiceView:
    return InvoiceView(
        invoice_id=invoice.id,
        kind=invoice.kind,
        amount_pence=invoice.amount_pence,
        paid_pence=invoice.paid_pence,
        credited_pence=invoice.credited_pence,
        outstanding_pence=invoice.outstanding_pence,
        is_settled=invoice.is_settled,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        reminded_on=invoice.reminded_on,
        referral_id=invoice.referral_id,
    )


def _account_view(account: Account, pence: int) -> AccountView:
    return AccountView(account=account.kind, therapist_id=account.therapist_id, fund_id=account.fund_id, pence=pence)


def _fund_balance(fund: Fund, totals: TrialBalance, moved: FundMovements) -> FundBalance:
    available = -totals.totals.get(Account(AccountKind.FUND_AVAILABLE, fund_id=fund.id), 0)
    committed = -totals.totals.get(Account(AccountKind.FUND_COMMITTED, fund_id=fund.id), 0)
    by_ledger = (moved.opened, available, committed, moved.drawn)
    return FundBalance(
        fund_id=fund.id,
        name=fund.name,
        opened_pence=moved.opened,
        available_pence=available,
        committed_pence=committed,
        drawn_pence=moved.drawn,
        released_pence=moved.released,
        agrees=by_ledger == (fund.opened_pence, fund.available_pence, fund.committed_pence, fund.drawn_pence),
    )


def unrecorded_attendance(unit: BillingUnit, request: ListUnrecordedAttendance) -> list[UnrecordedAttendance]:
    """The queue of those whom somebody should ask, the oldest match first."""
    before = unit.now - timedelta(days=unit.dependencies.ask_attendance_days)
    found = matches.unrecorded_matches(unit.session, matched_before=before, limit=request.limit)
    return [
        UnrecordedAttendance(
            match_id=match.id,
            referral_id=match.referral_id,
            therapist_id=match.therapist_id,
            matched_on=day_of(match.matched_at),
            contact_made_on=match.contact_made_on,
            ended_on=day_of(match.ended_at) if match.has_ended and match.ended_at else None,
            end_reason=match.end_reason,
        )
        for match in found
    ]
