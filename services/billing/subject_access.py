"""What billing holds about a person, told to them: the help with the cost they asked for, awards, sessions and fees."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, select

from chassis.subject_access import entry, fact, pounds, section, who_in_words
from contracts.commands.subject import Entry, GetSubjectData, Section, Topic
from contracts.vocabulary import SessionReversalReason
from services.billing.dependencies import BillingUnit
from services.billing.domain.awards import Award, AwardState
from services.billing.domain.fees import Ending
from services.billing.domain.invoices import Invoice
from services.billing.domain.matches import Match
from services.billing.domain.referrals import Referral
from services.billing.store import matches, referrals, reversals, tables, waiting_list

AWARDS = {
    AwardState.HELD: "Kept for sessions to come",
    AwardState.CLOSING: "Ended; what is left is kept for sessions that have still to be told to us",
    AwardState.USED: "Used",
    AwardState.ENDED: "Ended; what was left has gone back to the fund",
}
ENDINGS = {
    Ending.WITHDRAWN: "The request was taken back",
    Ending.SIGNPOSTED: "Another service fitted better",
    Ending.CLOSED: "The request is closed",
    Ending.CLOSED_NOT_ATTENDED: "The request is closed; the sessions did not take place",
}


def tell(unit: BillingUnit, request: GetSubjectData) -> list[Section]:
    """What a therapist has paid is theirs, and left out."""
    referral = referrals.find_referral(unit.session, request.referral_id)
    if referral is None:
        return []
    of = request.referral_id
    theirs = unit.session.scalars(select(Award).where(tables.award_table.c.referral_id == of))
    charged = unit.session.scalars(select(Invoice).where(tables.invoice_table.c.referral_id == of))
    matched = matches.matches_of(unit.session, of)
    found = [_asked(unit, referral), *(_award(unit, award) for award in theirs), *map(_match, matched)]
    return [
        section(
            Topic.MONEY, [*found, *(_session(unit, row) for row in _sessions(unit, matched)), *map(_invoice, charged)]
        )
    ]


def _asked(unit: BillingUnit, referral: Referral) -> Entry:
    waiting = waiting_list.find_entry(unit.session, referral.id)
    told = entry(
        ("Help with the cost asked for", referral.subsidy_requested or None),
        ("Your request came on", referral.received_at),
        ("For", referral.client_group),
        ("What you can pay for a session", pounds(referral.fee_ceiling_pence)),
        ("Police area, which decides what a fund may pay for", (referral.police_force_area or "").title()),
        ("Council, by its official number", referral.local_authority),
        ("A person has confirmed where you live", referral.area_confirmed),
        ("Your request was assessed on", referral.assessed_at),
        ("On the waiting list for money since", waiting and waiting.asked_at),
        ("What it waits for", waiting and waiting.reason),
        ("Who decided that help may go on", waiting and waiting.allowed_by),
        ("This request takes up an earlier one of yours", referral.previous_id is not None or None),
        ("It was found to be the same as another of yours", referral.merged_into_id is not None or None),
        ("A session near you costs at least, as far as we know", pounds(referral.least_fee_pence)),
        ("The request ended on", referral.ended_at),
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
        ("For sessions from", award.starts_on),
        ("For sessions until", award.pays_until),
        ("Paid so far", pounds(award.drawn_pence)),
        ("Gone back to the fund", pounds(award.released_pence)),
    )
    return Entry(facts=(*told.facts, fact("How it stands", award.state, words=AWARDS)))


def _match(match: Match) -> Entry:
    return entry(
        ("Your therapist takes for a session", pounds(match.session_fee_pence)),
        ("Since", match.matched_at),
        ("They told us that they made contact with you on", match.contact_made_on),
        ("Why it ended", match.end_reason),
        ("When it ended", match.ended_at if match.has_ended else None),
        ("We asked whether you had met on", match.attendance_asked_at),
        ("It was recorded that you never met on", match.never_attended_at),
        ("By", match.never_attended_by and who_in_words(match.never_attended_by)),
    )


def _sessions(unit: BillingUnit, matched: Sequence[Match]) -> list[RowMapping]:
    table = tables.session_table
    wanted = select(table).where(table.c.match_id.in_([match.id for match in matched])).order_by(table.c.attended_on)
    return list(unit.session.execute(wanted).mappings())


def _session(unit: BillingUnit, row: RowMapping) -> Entry:
    reversal = reversals.find_reversal(unit.session, row["id"])
    told = entry(
        ("A session took place on", row["attended_on"]),
        ("A fund paid", pounds(row["drawn_pence"])),
        ("This was taken back, as it was not so, on", row["reversed_at"]),
        ("By", reversal and who_in_words(reversal.by)),
    )
    why = (fact("Why", SessionReversalReason(reversal.reason)),) if reversal else ()
    return Entry(facts=(*told.facts, *why))


def _invoice(invoice: Invoice) -> Entry:
    return entry(
        ("We charged your therapist for the introduction", pounds(invoice.amount_pence)),
        ("On", invoice.issued_on),
        ("Given back to them", pounds(invoice.credited_pence or None)),
    )
