"""What billing answers to a person who asks. Nothing here changes anything."""

from __future__ import annotations

from datetime import date

from contracts.commands.billing import (
    AccountView,
    AwardView,
    FundBalance,
    FundView,
    InvoiceView,
    ListFunds,
    ShowTrialBalance,
    SubsidyOf,
    SubsidyView,
    TherapistAccountOf,
    TherapistAccountView,
    TrialBalanceView,
)
from services.billing import store
from services.billing.domain.awards import Award
from services.billing.domain.days import day_of
from services.billing.domain.funds import Fund
from services.billing.domain.invoices import Invoice
from services.billing.domain.ledger import Account, AccountKind, TrialBalance
from services.billing.handlers.books import BillingUnit
from services.billing.handlers.refusals import UnknownReferral, UnknownTherapist
from services.billing.store import FundMovements
from services.billing.tables import Referral


def list_funds(unit: BillingUnit, request: ListFunds) -> list[FundView]:
    """Every fund, the earliest to end first."""
    return [fund_view(fund, on=day_of(unit.now)) for fund in store.all_funds(unit.session)]


def subsidy_of(unit: BillingUnit, request: SubsidyOf) -> SubsidyView:
    """How a referral's subsidy stands. Raises UnknownReferral."""
    referral = store.find_referral(unit.session, request.referral_id)
    if referral is None:
        raise UnknownReferral("Billing has not heard of this referral; check the identifier, or try again shortly.")
    return subsidy_view(unit, referral)


def therapist_account(unit: BillingUnit, request: TherapistAccountOf) -> TherapistAccountView:
    """A therapist's membership and invoices. Raises UnknownTherapist."""
    therapist = store.find_therapist(unit.session, request.therapist_id)
    if therapist is None:
        raise UnknownTherapist("Billing has not heard of this therapist; check the identifier, or try again shortly.")
    membership = store.find_membership(unit.session, request.therapist_id)
    return TherapistAccountView(
        therapist_id=request.therapist_id,
        membership=membership.state if membership else None,
        membership_starts_on=membership.starts_on if membership else None,
        membership_ends_on=membership.ends_on if membership else None,
        balance_pence=store.balance_of(unit.session, request.therapist_id),
        credit_pence=therapist.credit_pence,
        invoices=tuple(map(_invoice_view, store.invoices_of(unit.session, request.therapist_id))),
    )


def trial_balance(unit: BillingUnit, request: ShowTrialBalance) -> TrialBalanceView:
    """What stands on every account, and whether the funds' own figures are the ledger's."""
    totals, movements = store.ledger_totals(unit.session), store.fund_movements(unit.session)
    funds = tuple(_fund_balance(fund, totals, movements[fund.id]) for fund in store.all_funds(unit.session))
    return TrialBalanceView(
        is_balanced=totals.is_balanced and all(fund.agrees for fund in funds),
        accounts=tuple(_account_view(account, pence) for account, pence in totals.totals.items()),
        funds=funds,
    )


def fund_view(fund: Fund, *, on: date) -> FundView:
    return FundView(
        fund_id=fund.id,
        name=fund.name,
        purposes=fund.purposes,
        starts_on=fund.starts_on,
        ends_on=fund.ends_on,
        is_open=fund.is_open(on=on),
        opened_pence=fund.opened_pence,
        available_pence=fund.available_pence,
        committed_pence=fund.committed_pence,
        drawn_pence=fund.drawn_pence,
        awards_made=fund.awards_made,
        max_awards=fund.max_awards,
        further_awards=fund.further_awards,
    )


def subsidy_view(unit: BillingUnit, referral: Referral) -> SubsidyView:
    award = store.find_latest_award(unit.session, referral.id)
    place = store.find_place(unit.session, referral.id)
    return SubsidyView(
        referral_id=referral.id,
        subsidy_requested=referral.subsidy_requested,
        award=_award_view(award) if award else None,
        is_waiting=place is not None,
        wait_reason=place.reason if place else None,
    )


def _award_view(award: Award) -> AwardView:
    return AwardView(
        award_id=award.id,
        fund_id=award.fund_id,
        pence_per_session=award.pence_per_session,
        sessions=award.sessions,
        sessions_used=award.sessions_used,
        committed_pence=award.committed_pence,
        held_pence=award.held_pence,
        drawn_pence=award.drawn_pence,
        released_pence=award.released_pence,
        state=award.state,
        approved_at=award.approved_at,
        starts_on=award.starts_on,
        pays_until=award.pays_until,
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
