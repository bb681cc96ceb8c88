"""What billing holds about a person, told to them: the help with the cost they asked for, awards, sessions and fees."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, select

from chassis.telling import entry, fact, pounds, section
from contracts.commands.subject import AboutSubject, Entry, Section, Topic
from services.billing import store, tables
from services.billing.domain.awards import Award, AwardState
from services.billing.domain.fees import Ending
from services.billing.domain.invoices import Invoice
from services.billing.handlers.books import BillingUnit
from services.billing.tables import Match, Referral

AWARDS = {
    AwardState.HELD: "Kept for sessions to come",
    AwardState.USED: "Used",
    AwardState.ENDED: "Ended; what was left has gone back to the fund",
}
ENDINGS = {
    Ending.WITHDRAWN: "The request was taken back",
    Ending.SIGNPOSTED: "Another service fitted better",
    Ending.CLOSED: "The request is closed",
    Ending.CLOSED_NOT_ATTENDED: "The request is closed; the sessions did not take place",
}


def tell(unit: BillingUnit, request: AboutSubject) -> list[Section]:
    """What a therapist has paid is theirs, and left out."""
    referral = store.find_referral(unit.session, request.referral_id)
    if referral is None:
        return []
    of = request.referral_id
    awards = unit.session.scalars(select(Award).where(tables.award_table.c.referral_id == of))
    invoices = unit.session.scalars(select(Invoice).where(tables.invoice_table.c.referral_id == of))
    matches = store.matches_of(unit.session, of)
    found = [_asked(unit, referral), *(_award(unit, one) for one in awards), *map(_match, matches)]
    return [section(Topic.MONEY, [*found, *map(_session, _sessions(unit, matches)), *map(_invoice, invoices)])]


def _asked(unit: BillingUnit, referral: Referral) -> Entry:
    place = store.find_place(unit.session, referral.id)
    told = entry(
        ("Help with the cost asked for", referral.subsidy_requested),
        ("Your request came on", referral.received_at),
        ("For", referral.client_group),
        ("What you can pay for a session", pounds(referral.fee_ceiling_pence)),
        ("Police area, which decides what a fund may pay for", (referral.police_force_area or "").title()),
        ("Council, by its official number", referral.local_authority),
        ("A person has confirmed where you live", referral.area_confirmed),
        ("Your request was assessed on", referral.assessed_at),
        ("On the waiting list for money since", place and place.asked_at),
        ("What it waits for", place and place.reason),
    )
    ended = (fact("How the request ended", referral.ending, words=ENDINGS),) if referral.ending else ()
    return Entry(facts=(*told.facts, *ended))


def _award(unit: BillingUnit, award: Award) -> Entry:
    fund = unit.session.scalars(select(tables.fund_table.c.name).where(tables.fund_table.c.id == award.fund_id)).one()
    told = entry(
        ("A fund helps to pay: decided on", award.approved_at),
        ("Fund", fund),
        ("For each session", pounds(award.pence_per_session)),
        ("Sessions", f"{award.sessions}, of which {award.sessions_used} have been used"),
        ("Paid so far", pounds(award.drawn_pence)),
        ("Gone back to the fund", pounds(award.released_pence)),
    )
    return Entry(facts=(*told.facts, fact("How it stands", award.state, words=AWARDS)))


def _match(match: Match) -> Entry:
    return entry(
        ("Your therapist takes for a session", pounds(match.session_fee_pence)),
        ("Since", match.matched_at),
        ("Why it ended", match.end_reason),
    )


def _sessions(unit: BillingUnit, matches: Sequence[Match]) -> list[RowMapping]:
    table = tables.session_table
    wanted = select(table).where(table.c.match_id.in_([one.id for one in matches])).order_by(table.c.attended_on)
    return list(unit.session.execute(wanted).mappings())


def _session(row: RowMapping) -> Entry:
    return entry(("A session took place on", row["attended_on"]), ("A fund paid", pounds(row["drawn_pence"])))


def _invoice(invoice: Invoice) -> Entry:
    return entry(
        ("We charged your therapist for the introduction", pounds(invoice.amount_pence)),
        ("On", invoice.issued_on),
        ("Given back to them", pounds(invoice.credited_pence or None)),
    )
