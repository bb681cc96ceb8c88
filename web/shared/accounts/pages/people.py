"""Pages for administrators: everybody with an account, and for the second person who confirms a role."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from typing import TypeVar
from uuid import UUID

from starlette.responses import Response

from contracts.permissions import Permission, Role
from web.shared.accounts.application import people
from web.shared.accounts.application.ground import Work
from web.shared.accounts.domain.accounts import Person
from web.shared.accounts.domain.grants import RoleGrant, is_sensitive
from web.shared.accounts.domain.refusals import EmailTaken, NotOfStaff
from web.shared.accounts.domain.sessions import Session, has_ended
from web.shared.accounts.domain.vocabulary import GrantPolicy, Stage, State
from web.shared.accounts.pages.forms import InviteForm
from web.shared.accounts.pages.words import ROLES, STATES
from web.shared.staff.listing import AFTER, Listing
from web.shared.staff.visit import Visit

ACTIONS = {
    "lock": people.lock,
    "unlock": people.unlock,
    "end": people.end,
    "renew": people.renew,
}
ALLOWED = {
    State.INVITED: ("end",),
    State.ACTIVE: ("renew", "lock", "end"),
    State.LOCKED: ("unlock", "end"),
    State.ENDED: (),
}
"""What can be done with an account in each state."""

SENSITIVE = {
    GrantPolicy.CONFIRM: "Reveals personal data or moves money: a second person confirms it.",
    GrantPolicy.TELL: "Reveals personal data or moves money: all leads are told.",
}

CodeT = TypeVar("CodeT", bound=StrEnum)


def everybody(visit: Visit) -> Response:
    """A page of people, filtered as the address says."""
    state, role = _chosen(State, visit.query.get("state")), _chosen(Role, visit.query.get("role"))
    before = visit.query.get(AFTER, "").replace("\0", "")  # which PostgreSQL doesn't take
    with visit.app.accounts.reading() as work:
        page = work.accounts.page(state=state, role=role, after=before)
        alone = work.accounts.grants_alone()
        return visit.page(
            "people.html",
            page=page,
            listing=Listing("/people", _filters(state, role), before, page.after),
            state=state,
            role=role,
            offered=_offered(visit),
            alone=alone,
            is_alone=work.accounts.count() == 1,
            names=_names(work, alone),
            may_change=_may_change(visit),
        )


def invite(visit: Visit) -> Response:
    form = visit.form(InviteForm)
    form.roles.choices = [(role.value, ROLES[role]) for role in _offered(visit)]
    if visit.is_post and form.validate():
        try:
            account_id = people.invite(
                visit.app.accounts,
                by=visit.me.account_id,
                email=form.email.data or "",
                name=form.name.data or "",
                roles=[Role(role) for role in form.roles.data or ()],
            )
            return visit.page("invited.html", name=form.name.data, account_id=account_id)
        except EmailTaken as taken:
            form.refuse(form.email, str(taken))
    return visit.page("invite.html", form=form, note=partial(_sensitivity, visit.app.accounts.policy))


def person(visit: Visit) -> Response:
    """One person, with where they are signed in and how; what can be changed is for administrators."""
    with visit.app.accounts.reading() as work:
        found = work.accounts.get(visit.param_id("account"))
        has = {grant.role for grant in found.grants}
        is_me = found.account.id == visit.me.account_id
        may_give = not is_me or work.accounts.count() == 1  # nobody else gives them one, and afterwards nobody does
        return visit.page(
            "person.html",
            person=found,
            names=_names(work, found.grants),
            offered=[role for role in _offered(visit) if may_give and role not in has],
            actions=ALLOWED[found.account.state],
            is_me=is_me,
            may_change=_may_change(visit),
            sessions=[one for one in work.sessions.of(found.account.id) if _is_on(visit, found, one)],
            sign_ins=work.sessions.sign_ins(found.account.id),
        )


def _is_on(visit: Visit, whose: Person, session: Session) -> bool:
    """Whether somebody is signed in by it: not half, and it isn't over."""
    return session.stage is Stage.FULL and not has_ended(session, whose.roles, at=visit.now)


def _may_change(visit: Visit) -> bool:
    return Permission.MANAGE_ACCOUNTS in visit.me.permissions


def invite_again(visit: Visit) -> Response:
    account_id = visit.param_id("account")
    people.invite_again(visit.app.accounts, account_id, by=visit.me.account_id)
    return visit.page("invited.html", name=_name_of(visit), account_id=account_id)


def give_role(visit: Visit) -> Response:
    role = _chosen(Role, visit.first("role"))
    if role is None:
        raise NotOfStaff
    people.give_role(visit.app.accounts, visit.param_id("account"), role, by=visit.me.account_id)
    return _back_to(visit)


def take_role(visit: Visit) -> Response:
    role = _chosen(Role, visit.first("role"))
    if role is None:
        raise NotOfStaff
    people.take_role(visit.app.accounts, visit.param_id("account"), role, by=visit.me.account_id)
    return _back_to(visit)


def act(visit: Visit) -> Response:
    """What is done with a whole account: a page that says what it means, and the button that does it."""
    action = str(visit.params["action"])
    if visit.is_post:
        ACTIONS[action](visit.app.accounts, visit.param_id("account"), by=visit.me.account_id)
        return _back_to(visit, done=action)
    return visit.page("act.html", action=action, name=_name_of(visit), account_id=visit.param_id("account"))


def confirmations(visit: Visit) -> Response:
    """The roles that wait for a second person."""
    with visit.app.accounts.reading() as work:
        waiting = work.accounts.waiting_grants()
        return visit.page("confirmations.html", waiting=waiting, names=_names(work, waiting))


def decide(visit: Visit) -> Response:
    role = _chosen(Role, visit.first("role"))
    if role is None:
        raise NotOfStaff
    confirms = visit.first("decision") == "confirm"
    people.decide(visit.app.accounts, visit.param_id("account"), role, by=visit.me.account_id, confirms=confirms)
    return visit.go_to("/people/confirmations", done="confirm" if confirms else "decline")


def _filters(state: State | None, role: Role | None) -> dict[str, tuple[str, str]]:
    chosen = {"state": (state.value, STATES[state])} if state else {}
    return chosen | ({"role": (role.value, ROLES[role])} if role else {})


def _sensitivity(policy: GrantPolicy, role: str) -> str:
    return SENSITIVE[policy] if is_sensitive(Role(role)) else ""


def _back_to(visit: Visit, done: str = "") -> Response:
    return visit.go_to(f"/people/{visit.param_id('account')}", done=done)


def _name_of(visit: Visit) -> str:
    with visit.app.accounts.reading() as work:
        return work.accounts.get(visit.param_id("account")).account.name


def _offered(visit: Visit) -> list[Role]:
    return [role for role in Role if role in visit.app.accounts.roles]


def _names(work: Work, grants: Sequence[RoleGrant]) -> dict[UUID | None, str]:
    """The names of everybody in these grants; None is the OpenID provider."""
    ids = {id_ for grant in grants for id_ in (grant.account_id, grant.granted_by, grant.confirmed_by) if id_}
    return {**work.accounts.names(ids), None: "your organisation’s sign-in"}


def _chosen(kind: type[CodeT], code: str | None) -> CodeT | None:
    return kind(code) if code in {member.value for member in kind} else None
