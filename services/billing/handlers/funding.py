"""What a person tells billing of funds and subsidies: a fund opened, an area confirmed, a further award allowed."""

from __future__ import annotations

from contracts.commands.billing import AllowFurtherAward, ConfirmArea, FundTerms, FundView, OpenFund, SubsidyView
from contracts.events.billing import FundOpened
from contracts.vocabulary import FundId
from services.billing.application.books import post
from services.billing.application.views import fund_view, subsidy_view
from services.billing.application.waiting_list import (
    START_FUND,
    money_has_come,
    wait_again,
)
from services.billing.dependencies import BillingUnit
from services.billing.domain import ledger
from services.billing.domain.awards import AwardState
from services.billing.domain.days import day_of, end_of, start_of
from services.billing.domain.funds import Fund, Terms, check_terms
from services.billing.errors import FundNameTaken, NothingToFollow, UnknownReferral
from services.billing.store import awards, funds, referrals, rows, waiting_list

END_FUND = "end_fund"


def open_fund(unit: BillingUnit, request: OpenFund) -> FundView:
    """Takes in a grant or donation. Raises FundNameTaken, EndsBeforeItStarts or PurposeNamedTwice."""
    if funds.find_fund_named(unit.session, request.name):
        raise FundNameTaken("A fund of this name is open already; if this is another grant, name it differently.")
    fund = _fund_of(request, FundId(unit.new_id()))
    check_terms(terms=fund.terms, starts_on=fund.starts_on, ends_on=fund.ends_on)
    rows.add(unit.session, fund)
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


def confirm_area(unit: BillingUnit, request: ConfirmArea) -> SubsidyView:
    """A person found out where the client lives; if they wait for a subsidy they are served again."""
    referral = referrals.find_referral(unit.session, request.referral_id)
    if referral is None:
        raise UnknownReferral("Billing has not heard of this referral; check the identifier, or try again shortly.")
    referral.police_force_area = request.police_force_area
    referral.local_authority = request.local_authority or referral.local_authority
    referral.area_confirmed = True
    if waiting_list.find_entry(unit.session, referral.id):
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


def allow_further_award(unit: BillingUnit, request: AllowFurtherAward) -> SubsidyView:
    """A person decides that an award that is used up may be followed by another, in the order of the waiting list.

    Raises UnknownReferral, NothingToFollow.
    """
    referral = referrals.find_referral(unit.session, request.referral_id)
    if referral is None:
        raise UnknownReferral("Billing has not heard of this referral; check the identifier, or try again shortly.")
    latest = awards.find_latest_award(unit.session, referral.id)
    if not referral.asks_for_subsidy or latest is None or latest.state is AwardState.HELD:
        raise NothingToFollow("This referral has ended, or has no award that is used up; look at its subsidy.")
    wait_again(unit, referral, asked_at=unit.now)
    entry = waiting_list.find_entry(unit.session, referral.id)
    if entry and entry.allowed_by is None:
        entry.allowed_by = unit.actor.who
        money_has_come(unit)
    return subsidy_view(unit, referral)
