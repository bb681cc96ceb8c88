"""A safeguarding concern: how it climbed, who has it in hand, and what was decided."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.responses import Response

from chassis.rpc import CommandFailed
from contracts.commands.console import ConcernFacts, EventSeen, ReferralFacts
from contracts.commands.notifications import OutcomeView
from contracts.permissions import Permission
from contracts.sealed import OutcomeReason
from contracts.vocabulary import ConcernOutcome
from web.console.pages.commands import OnceForm, choice
from web.console.pages.desk import Desk, Known, account_in, names
from web.console.pages.referral import MINUTES, closing, happened, reveal
from web.console.pages.step_forms import LONGEST_NOTE
from web.shared.staff.errors import error
from web.shared.staff.forms import Paragraphs, Said
from web.shared.staff.visit import Visit

MOST_RUNGS = 200


def show(desk: Desk, visit: Visit) -> Response:
    """What was raised, whom it was brought to and when, and every decision about it; never why."""
    facts = desk.referral(visit)
    concern = _concern(facts, visit)
    if concern is None:
        return error(visit, 404)
    outcomes = _outcomes(desk, visit, concern)
    by = {one.outcome_id: account_in(one.decided_by) for one in outcomes}
    climbed = _ladder(desk, visit, facts, concern)
    called = names(visit, [*by.values(), *(event.account_id for event in climbed)])
    return visit.page(
        "concern.html",
        facts=facts,
        concern=concern,
        outcomes=outcomes,
        by=by,
        names=called,
        ladder=[happened(event, called) for event in reversed(climbed)],
        may_handle=Permission.HANDLE_CONCERNS in visit.me.permissions,
        may_read=Permission.READ_CONCERNS in visit.me.permissions,
    )


def _concern(facts: ReferralFacts, visit: Visit) -> ConcernFacts | None:
    return next((one for one in facts.concerns if str(one.concern_id) == visit.params["concern"]), None)


def _outcomes(desk: Desk, visit: Visit, concern: ConcernFacts) -> list[OutcomeView]:
    """Every decision; none where notifications hasn't heard of the concern yet."""
    try:
        told = desk.ask(visit, "notifications", "outcomes", concern_id=concern.concern_id)
    except CommandFailed as refused:
        if refused.name != "UnknownAlert":
            raise
        return []
    return [OutcomeView.from_json(one) for one in told]


def _ladder(desk: Desk, visit: Visit, facts: Known, concern: ConcernFacts) -> list[EventSeen]:
    """What was published about the concern, the newest first, for whoever may see events."""
    if Permission.SEE_EVENTS not in visit.me.permissions:
        return []
    told = desk.ask(
        visit, "console", "list_events", referral_id=facts.referral_id, subject_id=concern.concern_id, limit=MOST_RUNGS
    )
    return [EventSeen.from_json(one) for one in told]


def acknowledge(desk: Desk, visit: Visit) -> Response:
    """Takes a concern in hand, which ends the escalation."""
    facts = ReferralFacts.from_json(desk.ask(visit, "console", "show", referral_id=visit.params["referral"]))
    concern = _concern(facts, visit)
    if concern is None:
        return error(visit, 404)
    desk.tell(visit, "notifications", "acknowledge_alert", concern_id=concern.concern_id)
    desk.alerts.asked_at = float("-inf")
    return visit.go_to(f"/referrals/{visit.params['referral']}", done="acknowledged")


class OutcomeForm(OnceForm):
    outcome = choice(ConcernOutcome, "What was decided?")
    reason = Paragraphs("Why?", LONGEST_NOTE, Said("Write why."), description="It is stored encrypted.")


def record_outcome(desk: Desk, visit: Visit) -> Response:
    facts = desk.referral(visit)
    concern = _concern(facts, visit)
    if concern is None:
        return error(visit, 404)
    form: Any = visit.form(OutcomeForm, command_id=uuid4())
    concern_id = concern.concern_id
    if visit.is_post and form.validate():
        sealed = desk.keyring.seal("notifications", OutcomeReason(words=(form.reason.data or "").strip()))
        desk.tell(
            visit, "notifications", "record_outcome", concern_id=concern_id, outcome=form.outcome.data, reason=sealed
        )
        return visit.go_to(f"/referrals/{facts.referral_id}", done="outcome")
    return visit.page("outcome.html", facts=facts, form=form, concern_id=concern_id)


def read_reasons(desk: Desk, visit: Visit) -> Response:
    """Why it was decided so, which is on record as a reading. The page closes by itself."""
    facts = desk.referral(visit)
    concern = _concern(facts, visit)
    if concern is None:
        return error(visit, 404)
    desk.refuse_who_handles_linked(visit, facts)
    sections = reveal(desk, visit, "notifications", "read_outcomes", concern_id=concern.concern_id)
    back = f"/referrals/{facts.referral_id}/concerns/{concern.concern_id}"
    page = visit.page(
        "record.html", heading="Why it was decided", facts=facts, sections=sections, minutes=MINUTES, back=back
    )
    return closing(page, back=back)
