"""Funds: opened by a person, spent from their first day, closed after their last."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import Timer
from contracts.commands.billing import ConfirmArea, FundTerms, FundView, OpenFund, SubsidyView
from contracts.events.billing import FundOpened
from contracts.vocabulary import FundId, SubsidyReleaseReason
from services.billing import store
from services.billing.domain import ledger
from services.billing.domain.days import day_of, end_of, start_of
from services.billing.domain.funds import Fund, Terms, check_terms
from services.billing.handlers import awards
from services.billing.handlers.books import BillingUnit, post
from services.billing.handlers.refusals import FundNameTaken, UnknownReferral, refusing
from services.billing.handlers.reports import fund_view, subsidy_view
from services.billing.handlers.waiting import START_FUND, money_has_come, wait_again

END_FUND = "end_fund"


def open_fund(unit: BillingUnit, request: OpenFund) -> FundView:
    """Takes in a grant or donation. Raises FundNameTaken, EndsBeforeItStarts or PurposeNamedTwice."""
    if store.find_fund_named(unit.session, request.name):
        raise FundNameTaken("A fund of this name is open already; if this is another grant, name it differently.")
    fund = _fund_of(request, FundId(unit.new_id()))
    with refusing():
        check_terms(terms=fund.terms, starts_on=fund.starts_on, ends_on=fund.ends_on)
    store.add(unit.session, fund)
    post(unit, ledger.fund_opened(fund_id=fund.id, pence=fund.opened_pence))
    unit.set_timer(START_FUND, fund.id, max(unit.now, start_of(fund.starts_on)))
    unit.set_timer(END_FUND, fund.id, end_of(fund.ends_on))
    unit.emit(
        FundOpened(
            fund_id=fund.id,
            amount_pence=fund.opened_pence,
            purposes=fund.purposes,
            starts_on=fund.starts_on,
            ends_on=fund.ends_on,
        )
    )
    return fund_view(fund, on=day_of(unit.now))


def start_fund(unit: BillingUnit, timer: Timer) -> None:
    """A fund's first day has come: those who wait are served."""
    money_has_come(unit)


def end_fund(unit: BillingUnit, timer: Timer) -> None:
    """A fund's last day is over: it pays no later session, and whom it helped waits for another fund.

    What is reserved for sessions that are still to be reported stays so for the time that policy gives.
    """
    fund = store.get_fund(unit.session, FundId(UUID(timer.key)))
    for award in store.held_awards_of(unit.session, fund.id):
        referral = store.get_referral(unit.session, award.referral_id)
        reason = SubsidyReleaseReason.FUND_ENDED
        awards.close_award(unit, referral, award, fund, reason, pays_until=fund.ends_on)
        wait_again(unit, referral)


def confirm_area(unit: BillingUnit, request: ConfirmArea) -> SubsidyView:
    """A person found out where the client lives; if they wait for a subsidy they are served again."""
    referral = store.find_referral(unit.session, request.referral_id)
    if referral is None:
        raise UnknownReferral("Billing has not heard of this referral; check the identifier, or try again shortly.")
    referral.police_force_area = request.police_force_area
    referral.local_authority = request.local_authority or referral.local_authority
    referral.area_confirmed = True
    if store.find_place(unit.session, referral.id):
        money_has_come(unit)
    return subsidy_view(unit, referral)


def _fund_of(request: OpenFund, id_: FundId) -> Fund:
    return Fund(
        id=id_,
        name=request.name,
        terms=tuple(map(_terms_of, request.terms)),
        starts_on=request.starts_on,
        ends_on=request.ends_on,
        opened_pence=request.amount_pence,
        available_pence=request.amount_pence,
        session_cap_pence=request.session_cap_pence,
        sessions_per_award=request.sessions_per_award,
        client_cap_pence=request.client_cap_pence,
        max_awards=request.max_awards,
        further_awards=request.further_awards,
    )


def _terms_of(terms: FundTerms) -> Terms:
    return Terms(
        purpose=terms.purpose,
        client_groups=frozenset(terms.client_groups),
        police_force_areas=frozenset(terms.police_force_areas),
        local_authorities=frozenset(terms.local_authorities),
    )
