"""Funds: what is left of each, and opening one, which one person prepares and another confirms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response
from wtforms import StringField

from chassis.access.actor import Person, SignIn
from chassis.rpc import CommandFailed
from contracts.commands.billing import FundTerms, FundView, OpenFund
from contracts.permissions import GRANTS, Permission, permissions_of
from contracts.vocabulary import ClientGroup, FundPurpose
from web.console.pages import typed, words
from web.console.pages.commands import YES, OnceForm, yes_or_no
from web.console.pages.desk import Desk, command_id_of, names
from web.shared.accounts.application import prepared
from web.shared.accounts.domain.prepared import Prepared
from web.shared.accounts.domain.refusals import NothingWaits
from web.shared.accounts.pages.forms import Ticks
from web.shared.staff.forms import CalendarDay, OneLine, Said, stripped
from web.shared.staff.visit import Visit

BILLING, OPEN_FUND = "billing", "open_fund"
MOST_PENCE, MOST_COUNT, LONGEST_NAME = 10_000_000_00, 100_000, 200
MAY_OPEN = Permission.OPEN_FUNDS


class FundForm(OnceForm):
    name = StringField(
        "Name of the fund",
        [Said("Write what the fund is called."), OneLine(LONGEST_NAME)],
        [stripped],
        description="Never the name of somebody who gave privately.",
    )
    amount = typed.pounds("Amount, in pounds", least=1, most=MOST_PENCE)
    starts_on = CalendarDay("First day", [Said("Say on which day it begins.")])
    ends_on = CalendarDay("Last day", [Said("Say on which day it ends.")])
    purposes = Ticks(
        "What is it for?",
        [Said("Tick at least one purpose.")],
        choices=[(purpose.value, words.said(purpose)) for purpose in FundPurpose],
    )
    client_groups = Ticks(
        "Whom is it for? Leave all empty if it is for everybody.",
        choices=[(group.value, words.said(group)) for group in ClientGroup],
    )
    therapy_areas = typed.areas("Therapy in which police force areas?", description="Empty for everywhere.")
    training_areas = typed.areas("Training in which police force areas?", description="Empty for everywhere.")
    local_authorities = typed.authorities(
        "Which local authorities besides?", description="Their codes, like W06000022. Empty for none."
    )
    session_cap = typed.pounds("Most for one session, in pounds", least=1, needed=False, description="Empty: no cap.")
    sessions_per_award = typed.whole("Most sessions for one person", least=1, most=MOST_COUNT, needed=False)
    client_cap = typed.pounds("Most for one person, in pounds", least=1, needed=False)
    max_awards = typed.whole("For how many people is it?", least=1, most=MOST_COUNT, needed=False)
    further_awards = yes_or_no("May an award that is used up be followed by another, without anybody deciding?")

    def validate_ends_on(self, field: Any) -> None:
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            self.refuse(field, "The last day is before the first. Please look at the dates.")


def overview(desk: Desk, visit: Visit) -> Response:
    """Every fund with what is left, and those that wait to be confirmed."""
    answer = desk.ask(visit, BILLING, "funds")
    waiting = _waiting(visit) if MAY_OPEN in visit.me.permissions else []
    return visit.page(
        "funds.html",
        funds=[FundView.from_json(one) for one in answer],
        waiting=waiting,
        names=names(visit, (one.prepared_by for one in waiting)),
        may_open=MAY_OPEN in visit.me.permissions,
    )


def prepare(desk: Desk, visit: Visit) -> Response:
    """Prepares a fund, which another person then confirms."""
    form = visit.form(FundForm, command_id=uuid4())
    if visit.is_post and form.validate():
        kept = prepared.prepare(
            visit.app.accounts, visit.me, id_=command_id_of(visit), service=BILLING, command=OPEN_FUND,
            fields=_fund(form).to_json(),
        )  # fmt: skip
        return visit.go_to(f"/funds/prepared/{kept.id}", done="fund_prepared")
    return visit.page("fund_open.html", form=form, is_alone=not _others(visit))


def decide(desk: Desk, visit: Visit) -> Response:
    """Shows a prepared fund, and opens it once another person has confirmed it. Raises NothingWaits, CommandFailed."""
    waiting = _prepared(visit)
    if visit.is_post and visit.first("decision") == "decline":
        prepared.decline(visit.app.accounts, waiting.id, by=visit.me.account_id)
        return visit.go_to("/funds", done="fund_declined")
    if visit.is_post:
        _open(desk, visit, waiting.id)
        return visit.go_to("/funds", done="fund_opened")
    return visit.page(
        "fund_prepared.html",
        prepared=waiting,
        fund=OpenFund.from_json(dict(waiting.fields)),
        names=names(visit, (waiting.prepared_by, waiting.decided_by)),
        is_open=waiting.is_open(visit.now),
        is_mine=waiting.prepared_by == visit.me.account_id,
    )


def _open(desk: Desk, visit: Visit, id_: UUID) -> None:
    """Gives the command in the name of whoever prepared it, with the second person's word.

    Raises SomebodyElseConfirms, NothingWaits, CommandFailed, NoAnswer.
    """
    accounts = visit.app.accounts
    confirmed, first = prepared.confirm(accounts, id_, by=visit.me.account_id)
    person = Person(
        name=str(confirmed.prepared_by),
        permissions=permissions_of(*first.roles),
        signed_in=SignIn(at=confirmed.signed_in_at, factor=confirmed.factor.value),
        confirmed_by=str(confirmed.decided_by),
    )
    try:
        desk.services.give(person, confirmed.service, confirmed.command, command_id=id_, **confirmed.fields)
    except CommandFailed:
        prepared.settle(accounts, id_, Prepared.refused)
        raise
    prepared.settle(accounts, id_, Prepared.done)


def _fund(form: Any) -> OpenFund:
    of_purpose: Mapping[str, Any] = {
        FundPurpose.THERAPY: form.therapy_areas.value,
        FundPurpose.TRAINING: form.training_areas.value,
    }
    terms = partial(
        FundTerms,
        client_groups=tuple(dict.fromkeys(map(ClientGroup, form.client_groups.data or ()))),
        local_authorities=form.local_authorities.value or (),
    )
    return OpenFund(
        name=form.name.data,
        amount_pence=form.amount.value,
        terms=tuple(
            terms(purpose=purpose, police_force_areas=of_purpose[purpose] or ())
            for purpose in FundPurpose
            if purpose in form.purposes.data
        ),
        starts_on=form.starts_on.data,
        ends_on=form.ends_on.data,
        session_cap_pence=form.session_cap.value,
        sessions_per_award=form.sessions_per_award.value,
        client_cap_pence=form.client_cap.value,
        max_awards=form.max_awards.value,
        further_awards=form.further_awards.data == YES,
    )


def _waiting(visit: Visit) -> list[Prepared]:
    with visit.app.accounts.reading() as work:
        return work.prepared.all_open(OPEN_FUND, visit.now)


def _prepared(visit: Visit) -> Prepared:
    """Raises NothingWaits."""
    with visit.app.accounts.reading() as work:
        found = work.prepared.find(visit.param_id("prepared"))
    if found is None or found.command != OPEN_FUND:
        raise NothingWaits
    return found


def _others(visit: Visit) -> bool:
    """Whether somebody else could confirm it."""
    with visit.app.accounts.reading() as work:
        holders = work.accounts.holders(*GRANTS[MAY_OPEN].roles)
    return any(holder.id != visit.me.account_id for holder in holders)
