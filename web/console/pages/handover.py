"""How the work is shared out, and moving all of somebody's: when they leave, or are away."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4, uuid5

from starlette.responses import Response
from wtforms import SelectField

from chassis.rpc import CommandFailed, NoAnswer
from contracts.commands.console import WorkMoved, WorkOf
from web.console.pages.commands import OnceForm
from web.console.pages.desk import Desk, called, colleagues, command_id_of
from web.shared.accounts.application import people
from web.shared.accounts.domain.accounts import Account
from web.shared.accounts.domain.vocabulary import State
from web.shared.staff.forms import Said
from web.shared.staff.visit import Visit

MOST_LISTED, AT_ONCE = 200, 50
"""How many people are listed, and how many referrals one command moves."""

NOBODY, LATER = "nobody", "later"


class HandoverForm(OnceForm):
    to = SelectField("Who goes on with it?", [Said("Choose who goes on with their work.")])


@dataclass(frozen=True)
class Load:
    """How many referrals somebody has that aren't over."""

    account_id: UUID
    name: str
    referrals: int
    has_left: bool


def overview(desk: Desk, visit: Visit) -> Response:
    """Everybody with work: whoever has left first, and then whoever has most."""
    counted = _counted(desk, visit, limit=MOST_LISTED)
    with visit.app.accounts.reading() as work:
        known = {account.id: account for account in work.accounts.find_many(counted)}
    loads = [_load(account_id, known.get(account_id), number) for account_id, number in counted.items()]
    loads.sort(key=lambda load: (not load.has_left, -load.referrals))
    return visit.page("handovers.html", loads=loads, most=MOST_LISTED)


def _load(account_id: UUID, account: Account | None, referrals: int) -> Load:
    has_left = account is None or account.state is State.ENDED
    return Load(account_id, called(account) if account else "Somebody whose account is gone", referrals, has_left)


def move(desk: Desk, visit: Visit) -> Response:
    """Makes all of somebody's work a colleague's, or nobody's."""
    with visit.app.accounts.reading() as work:
        whose = work.accounts.get(visit.param_id("account")).account
    form = _form(visit, whose)
    if visit.is_post and form.validate():
        _move(desk, visit, whose.id, form.to.data)
        return visit.go_to("/people/work", done="work_moved")
    return visit.page("handover.html", whose=whose, form=form, number=_number(desk, visit, whose.id))


def leave(desk: Desk, visit: Visit) -> Response:
    """Ends somebody's account at once, before any service is asked, and then moves their work; what can't be moved now
    stays listed. Raises NoSuchAccount, WrongState, LastAdministrator.
    """
    with visit.app.accounts.reading() as work:
        whose = work.accounts.get(visit.param_id("account")).account
    form = _form(visit, whose, (LATER, "Decide later: it stays listed as of somebody who has left"))
    was_asked = "to" in visit.fields
    if not visit.is_post or (was_asked and not form.validate()):
        return visit.page("leave.html", whose=whose, form=form, number=_number_if_known(desk, visit, whose.id))
    if whose.state is not State.ENDED:  # or the form came a second time
        people.end(visit.app.accounts, whose.id, by=visit.me.account_id)
    if was_asked and form.to.data != LATER:
        with suppress(CommandFailed, NoAnswer):
            _move(desk, visit, whose.id, form.to.data)
    is_moved = _number_if_known(desk, visit, whose.id) == 0
    return visit.go_to(f"/people/{whose.id}", done="left" if is_moved else "left_with_work")


def _form(visit: Visit, whose: Account, *more: tuple[str, str]) -> HandoverForm:
    """Colleagues are those whose work a referral can be."""
    form = visit.form(HandoverForm, command_id=uuid4())
    others = [(str(id_), name) for id_, name in colleagues(visit) if id_ != whose.id]
    nobody = (NOBODY, "Nobody: it waits in the queues for whoever takes it")
    form.to.choices = [("", "Choose"), *others, nobody, *more]
    return form


def _move(desk: Desk, visit: Visit, account_id: UUID, to: str) -> None:
    """Each part has an identifier of its own that follows from the form's, so that a form sent twice moves once.

    Raises CommandFailed, NoAnswer.
    """
    fields: dict[str, Any] = {"account_id": account_id, "to": None if to == NOBODY else to, "limit": AT_ONCE}
    form_id, part, left = command_id_of(visit), 0, 1
    while left:
        part += 1
        answer = desk.services.ask(visit.me, "console", "move_work", command_id=uuid5(form_id, str(part)), **fields)
        moved = WorkMoved.from_json(answer)
        left = moved.left if moved.moved else 0


def _counted(desk: Desk, visit: Visit, **asked: Any) -> dict[UUID, int]:
    """By account. Raises CommandFailed, NoAnswer."""
    answer = desk.ask(visit, "console", "count_work", **asked)
    return {one.account_id: one.referrals for one in map(WorkOf.from_json, answer)}


def _number(desk: Desk, visit: Visit, account_id: UUID) -> int:
    """Raises CommandFailed, NoAnswer."""
    return _counted(desk, visit, account_id=account_id).get(account_id, 0)


def _number_if_known(desk: Desk, visit: Visit, account_id: UUID) -> int | None:
    try:
        return _number(desk, visit, account_id)
    except (CommandFailed, NoAnswer):
        return None
