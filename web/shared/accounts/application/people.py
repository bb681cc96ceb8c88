"""Inviting people, giving and taking roles, confirming, locking, and what happens when somebody leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from chassis.audit.chain import AuditAction
from contracts.accounts import StaffMatter
from contracts.permissions import Role
from web.shared.accounts.application.ground import INVITATION_LASTS, LINK_LASTS, Accounts, Work
from web.shared.accounts.domain import grants
from web.shared.accounts.domain.accounts import Account, Person, check_not_last_administrator, normal_email
from web.shared.accounts.domain.refusals import EmailTaken, NothingWaits, WrongState
from web.shared.accounts.domain.tokens import hash_of, new_secret
from web.shared.accounts.domain.vocabulary import LinkKind, State
from web.shared.accounts.store.sessions import Link

PROVIDER = "provider"
"""Who gave a role that comes from an OpenID provider's groups, in the audit log."""


def invite(accounts: Accounts, *, by: UUID, email: str, name: str, roles: Iterable[Role]) -> UUID:
    """An account for somebody, who is sent a link: only they see it, since whoever opens it has the account.

    Raises EmailTaken, NotOfStaff.
    """
    with accounts.work() as work:
        account = add_account(work, email=email, name=name, state=State.INVITED)
        work.record(AuditAction.ACCOUNT_INVITED, who=by, about=account.id)
        for role in sorted(set(roles)):  # a form may say one twice
            _give(accounts, work, Person(account), role, by=by)
        _send_link(accounts, work, account, LinkKind.INVITATION)
        return account.id


def invite_again(accounts: Accounts, account_id: UUID, *, by: UUID) -> None:
    """A new link, in the place of the one before. Raises NoSuchAccount, WrongState."""
    with accounts.work() as work:
        account = _in_state(work, account_id, State.INVITED).account
        work.record(AuditAction.ACCOUNT_INVITED, who=by, about=account_id)
        _send_link(accounts, work, account, LinkKind.INVITATION)


def renew(accounts: Accounts, account_id: UUID, *, by: UUID) -> None:
    """Lets somebody who lost their password or second factor set them up anew, by a link that only they are sent.

    All leads and administrators are told. Raises NoSuchAccount, WrongState.
    """
    with accounts.work() as work:
        person = _in_state(work, account_id, State.ACTIVE)
        work.record(AuditAction.ACCOUNT_RENEWED, who=by, about=account_id)
        _send_link(accounts, work, person.account, LinkKind.RENEWAL)
        tell_all(accounts, work, StaffMatter.ACCOUNT_RENEWED, about=person.account)


def give_role(accounts: Accounts, account_id: UUID, role: Role, *, by: UUID) -> grants.RoleGrant:
    """Raises NoSuchAccount, WrongState, NotOfStaff, AlreadyGranted, GrantToYourself."""
    with accounts.work() as work:
        person = _in_state(work, account_id, State.INVITED, State.ACTIVE, State.LOCKED)
        return _give(accounts, work, person, role, by=by)


def give_role_by_provider(accounts: Accounts, work: Work, person: Person, role: Role) -> grants.RoleGrant:
    """A role that comes from a provider's group; it is confirmed like any other. Raises AlreadyGranted, NotOfStaff."""
    return _give(accounts, work, person, role, by=None)


def take_role(accounts: Accounts, account_id: UUID, role: Role, *, by: UUID) -> None:
    """Takes a role away, at once. Raises NoSuchAccount, LastAdministrator."""
    with accounts.work() as work:
        person = work.accounts.get(account_id)
        if role is Role.ADMINISTRATOR:
            _keep_an_administrator(work, person)
        if any(grant.role is role for grant in person.grants):
            work.accounts.remove_grant(account_id, role)
            work.record(AuditAction.ROLE_TAKEN, who=by, about=account_id, reason=role)


def decide(accounts: Accounts, account_id: UUID, role: Role, *, by: UUID, confirms: bool) -> None:
    """The second person confirms a role that waits, or declines it. Raises NoSuchAccount, NothingWaits,
    SecondPersonNeeded."""
    with accounts.work() as work:
        person = work.accounts.get(account_id)
        if person.account.state is State.ENDED:
            raise NothingWaits
        waiting = next((grant for grant in person.grants if grant.role is role), None)
        if confirms:
            work.accounts.save_grant(grants.confirmed(waiting, by=by, at=work.now))
            work.record(AuditAction.ROLE_CONFIRMED, who=by, about=account_id, reason=role)
        else:
            grants.check_decides(waiting, by=by)
            work.accounts.remove_grant(account_id, role)
            work.record(AuditAction.ROLE_DECLINED, who=by, about=account_id, reason=role)


def lock(accounts: Accounts, account_id: UUID, *, by: UUID) -> None:
    """Nobody is let in until it is unlocked, and whoever is signed in isn't any more. Raises NoSuchAccount,
    WrongState, LastAdministrator."""
    _shut_out(accounts, account_id, State.LOCKED, AuditAction.ACCOUNT_LOCKED, by=by, in_state=(State.ACTIVE,))


def unlock(accounts: Accounts, account_id: UUID, *, by: UUID) -> None:
    """Raises NoSuchAccount, WrongState."""
    with accounts.work() as work:
        account = _in_state(work, account_id, State.LOCKED).account
        work.accounts.save(replace(account, state=State.ACTIVE))
        work.record(AuditAction.ACCOUNT_UNLOCKED, who=by, about=account_id)


def end(accounts: Accounts, account_id: UUID, *, by: UUID) -> None:
    """Somebody leaves: their sessions end at once, and what they signed in by is gone. What they did stays on record.

    Raises NoSuchAccount, WrongState, LastAdministrator.
    """
    states = (State.INVITED, State.ACTIVE, State.LOCKED)
    _shut_out(accounts, account_id, State.ENDED, AuditAction.ACCOUNT_ENDED, by=by, in_state=states)


def add_account(work: Work, *, email: str, name: str, state: State, provider_subject: str | None = None) -> Account:
    """Raises EmailTaken."""
    if work.accounts.find_by_email(email):
        raise EmailTaken
    account = Account(work.unit.new_id(), normal_email(email), name, state, work.now, provider_subject=provider_subject)
    work.accounts.add(account)
    return account


def tell_all(accounts: Accounts, work: Work, matter: StaffMatter, *, about: Account, role: Role | None = None) -> None:
    """Tells every lead and every administrator, and whoever it is about."""
    told = {account.id: account for account in work.accounts.holders(Role.SAFEGUARDING_LEAD, Role.ADMINISTRATOR)}
    if about.state is State.ACTIVE:
        told[about.id] = about
    for account in told.values():
        accounts.mailer.tell(work.unit, account, matter=matter, about=about, role=role)


def _give(accounts: Accounts, work: Work, person: Person, role: Role, *, by: UUID | None) -> grants.RoleGrant:
    account = person.account
    grant = grants.grant(
        role,
        to=account.id,
        by=by,
        has=person.grants,
        allowed=accounts.roles,
        accounts=work.accounts.count(),
        policy=accounts.policy,
        at=work.now,
    )
    work.accounts.add_grant(grant)
    work.record(AuditAction.ROLE_GRANTED, who=by or PROVIDER, about=account.id, reason=role)
    if not grant.is_effective:
        tell_all(accounts, work, StaffMatter.CONFIRMATION_NEEDED, about=account, role=role)
    elif grants.is_told(role, accounts.policy):
        tell_all(accounts, work, StaffMatter.ROLE_GRANTED, about=account, role=role)
    return grant


def _send_link(accounts: Accounts, work: Work, account: Account, kind: LinkKind) -> None:
    token, lasts = new_secret(), LINK_LASTS if kind is LinkKind.RENEWAL else INVITATION_LASTS
    link = Link(hash_of(token), kind, account.id, work.now, work.now + lasts)
    work.links.add(link)
    url = accounts.url_of_link(token)
    accounts.mailer.send_link(work.unit, account, kind=kind, url=url, expires_at=link.expires_at)


def _shut_out(
    accounts: Accounts, account_id: UUID, state: State, what: AuditAction, *, by: UUID, in_state: tuple[State, ...]
) -> None:
    with accounts.work() as work:
        person = _in_state(work, account_id, *in_state)
        _keep_an_administrator(work, person)
        account = replace(person.account, state=state)
        if state is State.ENDED:
            # Who they are at a provider stays, so that they don't come back by a new e-mail address.
            account = replace(account, password_hash=None, totp_secret=None, totp_step=None)
            work.credentials.remove_all(account_id)
            work.saved_views.remove_all(account_id)
        work.accounts.save(account)
        work.sessions.end_all(account_id)
        work.links.close(account_id, at=work.now)
        work.record(what, who=by, about=account_id)


def _keep_an_administrator(work: Work, person: Person) -> None:
    administrators = [account.id for account in work.accounts.holders(Role.ADMINISTRATOR)]
    check_not_last_administrator(person.account.id, administrators)


def _in_state(work: Work, account_id: UUID, *states: State) -> Person:
    person = work.accounts.get(account_id)
    if person.account.state not in states:
        raise WrongState
    return person
