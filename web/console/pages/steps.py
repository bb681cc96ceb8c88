"""Steps that people take with a referral, all shown and sent in the same way.

Which steps are possible is intake's to say. A form carries what its sender had seen; where somebody has changed the
referral meanwhile, it comes back with what was typed and with who changed what, and is sent once more knowingly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response

from chassis.rpc import CommandFailed
from contracts.commands import intake
from contracts.commands.console import ReferralFacts
from web.console.pages import words
from web.console.pages.client_forms import OF_CLIENT, SETTLE
from web.console.pages.commands import CommandForm
from web.console.pages.desk import Desk, account_in, names, seen_of
from web.console.pages.step_forms import OF_INTAKE, OTHER_FORMS, AssessForm, ReferralForm
from web.shared.staff.serving import FAULTS, SENT_BEFORE
from web.shared.staff.visit import Visit

AGAIN = "ChangedMeanwhile"
FORMS: Mapping[str, CommandForm] = {form.name: form for form in (*OF_INTAKE, *OF_CLIENT)}
EVERY_FORM = (*FORMS.values(), SETTLE, *OTHER_FORMS)


def take(desk: Desk, step: CommandForm, visit: Visit, *, back: str = "") -> Response:
    """Shows a step's form, or takes the step, and goes on to `back`, else to the referral."""
    facts = desk.referral(visit)
    back = back or f"/referrals/{facts.referral_id}"
    form: Any = visit.form(step.form, seen=facts.seen, command_id=uuid4())
    suggested = _suggestion(desk, visit, facts) if isinstance(form, AssessForm) else None
    changes: list[Change] = []
    refusal = ""
    if visit.is_post and form.validate() and _decides_openly(form, suggested):
        if seen_of(visit) is None:
            form.seen.data = str(facts.seen)
        try:
            fields = step.fields(desk, facts, form)
            desk.tell(visit, step.service, step.method, **fields)
            return visit.go_to(back, done=step.done)
        except CommandFailed as refused:
            if refused.name in FAULTS or refused.name == SENT_BEFORE:
                raise
            changes = _changes(refused.details, visit) if refused.name == AGAIN else []
            refusal = "" if changes else refused.message
            form.seen.data, form.command_id.data = str(facts.seen), str(uuid4())
    return visit.page(
        "step.html",
        step=step,
        facts=facts,
        form=form,
        changes=changes,
        refusal=refusal,
        suggestion=suggested,
        back=back,
    )


def _decides_openly(form: ReferralForm, suggested: intake.SuggestedAssessment | None) -> bool:
    """Whoever decides otherwise than the rules suggest says why; whoever doesn't has nothing to say."""
    if not isinstance(form, AssessForm) or suggested is None:
        return True
    if form.follows(suggested):
        form.override_reason.data = ""
    elif not form.override_reason.data:
        form.refuse(form.override_reason, "This is otherwise than our rules suggest. Say why.")
        return False
    return True


def _suggestion(desk: Desk, visit: Visit, facts: ReferralFacts) -> intake.SuggestedAssessment:
    answer = desk.ask(visit, "intake", "suggest_assessment", referral_id=facts.referral_id)
    return intake.SuggestedAssessment.from_json(answer)


@dataclass(frozen=True)
class Change:
    """What somebody has done with the referral while a form about it was open."""

    who: str
    what: str
    at: datetime
    fields: tuple[str, ...]


def _changes(details: Mapping[str, Any], visit: Visit) -> list[Change]:
    told = [one for one in details.get("changes", []) if isinstance(one, dict)]
    accounts = {one["who"]: account_in(str(one["who"])) for one in told}
    called = names(visit, accounts.values())
    return [
        Change(
            who=_called(str(one["who"]), accounts[one["who"]], called),
            what=words.STEPS.get(str(one["what"]), str(one["what"])),
            at=datetime.fromisoformat(one["when"]),
            fields=tuple(words.said(str(name)) for name in one.get("fields", ())),
        )
        for one in told
    ]


def _called(who: str, account_id: UUID | None, called: Mapping[UUID | None, str]) -> str:
    return (called.get(account_id) if account_id else None) or words.taken_by(who)
