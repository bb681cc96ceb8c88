"""Requests that came by telephone or letter, typed in by the site's own forms: all of a form on one page.

What is typed is in the page alone until it is sent, sealed to intake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from chassis.ids import new_id
from chassis.rpc import CommandFailed
from contracts.commands.intake import CameBy, RequestTyped
from contracts.london import day_of
from contracts.reference import spell
from contracts.vocabulary import ConsentTold
from web.console.pages.desk import Desk, id_in
from web.console.pages.referral import MINUTES, closing
from web.shared.forms.definition import Definition
from web.shared.forms.submission import FORM, FORM_VERSION, build
from web.shared.forms.whole import Whole, read_whole
from web.shared.languages import ENGLISH
from web.shared.staff.visit import Visit

ROUTES = "/requests/new"
CAME_BY, ASKED, SUBMISSION, ONLY_CHECK = "came-by", "asked-so-far", "submission-id", "only-check"
"""Fields of ours beside the form's, whose names have no hyphen at such a place."""

TOLD = {CameBy.TELEPHONE: ConsentTold.BY_TELEPHONE, CameBy.LETTER: ConsentTold.IN_WRITING}
NOT_TAKEN_IN = "NotTakenIn"


def routes(desk: Desk, visit: Visit) -> Response:
    """For whom it is, which says by which form it is typed in."""
    return visit.page("typed_routes.html", routes=desk.forms.values())


def type_in(desk: Desk, visit: Visit) -> Response:
    """Shows a whole form, or sends it once nothing is wrong and nothing more is asked."""
    definition = desk.forms.get(str(visit.params["route"]))
    if definition is None:
        return visit.go_to(ROUTES)
    came_by = next((one for one in CameBy if one.value == visit.first(CAME_BY)), None)
    whole = read_whole(definition, visit.fields, visit.first(ASKED).split(), today=day_of(visit.now))
    if not visit.is_post:
        return _show(visit, definition, whole, came_by, {})
    problems = {} if came_by else {CAME_BY: "Choose how it came."}
    if came_by is None or not whole.is_complete or visit.first(ONLY_CHECK):
        return _show(visit, definition, whole, came_by, {**problems, **whole.problems})
    try:
        typed = _send(desk, visit, definition, whole, came_by)
    except CommandFailed as refused:
        if refused.name != NOT_TAKEN_IN:
            raise
        return _show(visit, definition, whole, came_by, {CAME_BY: refused.message})
    page = visit.page(
        "typed.html",
        typed=typed,
        spelt=spell(typed.reference),
        passphrase=_passphrase(definition, whole),
        minutes=MINUTES,
    )
    return closing(page, back=f"/referrals/{typed.referral_id}")


def _send(desk: Desk, visit: Visit, definition: Definition, whole: Whole, came_by: CameBy) -> RequestTyped:
    """Raises CommandFailed, NoAnswer. Sent twice it is taken in once, by the number that the page carries."""
    submission = build(definition, whole.answers, at=visit.now, agreed_at={}, language=ENGLISH, told=TOLD[came_by])
    answer = desk.ask(
        visit, "intake", "type_request", submission_id=_submission_id(visit), came_by=came_by.value, form=FORM,
        form_version=FORM_VERSION, sealed=desk.keyring.seal("intake", submission),
    )  # fmt: skip
    return RequestTyped.from_json(answer)


def _show(
    visit: Visit, definition: Definition, whole: Whole, came_by: CameBy | None, problems: Mapping[str, str]
) -> Response:
    questions = [question for shown in whole.pages for question in shown.questions]
    return visit.page(
        "typed_form.html",
        definition=definition,
        whole=whole,
        raw=visit.fields,
        problems=problems,
        # Nothing follows where the form is shown first, and what is wrong comes before it.
        following=[one for one in questions if one.id in whole.following] if visit.is_post and not problems else [],
        came_by=came_by,
        ways=[(one.value, said) for one, said in WAYS.items()],
        submission_id=_submission_id(visit),
    )


WAYS = {CameBy.TELEPHONE: "By telephone", CameBy.LETTER: "By letter"}


def _submission_id(visit: Visit) -> UUID:
    return id_in(visit.first(SUBMISSION)) or new_id()


def _passphrase(definition: Definition, whole: Whole) -> Any:
    asked = next(question for question in definition.questions() if question.fills == "passphrase")
    return whole.answers[asked.id]
