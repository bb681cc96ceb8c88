"""Signing in by what an OpenID provider says of somebody."""

from __future__ import annotations

from dataclasses import replace

from chassis.audit.chain import AuditAction
from contracts.permissions import Role
from web.shared.accounts.application import people, sessions
from web.shared.accounts.application.ground import Accounts, Work
from web.shared.accounts.application.provider import Claims, Provider
from web.shared.accounts.application.sign_in import NotLetIn
from web.shared.accounts.domain.accounts import Person
from web.shared.accounts.domain.sessions import RECENT, Session
from web.shared.accounts.domain.vocabulary import Factor, Stage, State


def with_provider(
    accounts: Accounts, provider: Provider, claims: Claims, *, browser: str, replaces: Session | None = None
) -> tuple[str, Stage]:
    """A session, in the place of one that the browser had: full if the provider asked for a second factor, and one that
    waits for ours otherwise.

    Somebody new gets an account, and the roles of their groups. An account with a password is never taken over by an
    address that a provider vouches for. Raises NotLetIn.
    """
    subject = f"{provider.issuer} {claims.subject}"
    with accounts.work() as work:
        person = work.accounts.find_by_provider_subject(subject) or _newcomer(work, claims, subject)
        if person.account.state is not State.ACTIVE:
            raise NotLetIn
        person = _with_roles_of(accounts, work, person, provider.roles_of(claims.groups))
        if replaces:
            work.sessions.end(replaces.token_hash)
        if not claims.has_second_factor:
            stage = Stage.PASSWORD if person.has_second_factor else Stage.SET_UP
            return sessions.begin(work, person, stage=stage, browser=browser), stage
        ago = RECENT if claims.ago is None else claims.ago
        return sessions.begin_full(work, person, Factor.PROVIDER, browser=browser, ago=ago), Stage.FULL


def _with_roles_of(accounts: Accounts, work: Work, person: Person, roles: frozenset[Role]) -> Person:
    """The person with the roles of their groups, and without those that came from a group which they left."""
    account_id, has = person.account.id, {grant.role for grant in person.grants}
    for role in sorted(roles - has):
        people.give_role_by_provider(accounts, work, person, role)
    for grant in person.grants:
        if grant.granted_by is None and grant.role not in roles:
            work.accounts.remove_grant(account_id, grant.role)
            work.record(AuditAction.ROLE_TAKEN, who=people.PROVIDER, about=account_id, reason=grant.role)
    return work.accounts.get(account_id)


def _newcomer(work: Work, claims: Claims, subject: str) -> Person:
    """Somebody who signs in by the provider for the first time: new here, or invited. Raises NotLetIn.

    The first account of all is an administrator's: if anybody else's came before, nobody could ever manage accounts.
    """
    known = work.accounts.find_by_email(claims.email)
    if not work.accounts.count():
        raise NotLetIn
    if known is None:
        account = people.add_account(
            work, email=claims.email, name=claims.name, state=State.ACTIVE, provider_subject=subject
        )
        work.record(AuditAction.ACCOUNT_SET_UP, who=people.PROVIDER, about=account.id, reason="provider")
        return Person(account)
    if known.account.state is not State.INVITED:
        raise NotLetIn
    account = replace(known.account, state=State.ACTIVE, provider_subject=subject)
    work.accounts.save(account)
    work.links.close(account.id, at=work.now)
    work.record(AuditAction.ACCOUNT_SET_UP, who=people.PROVIDER, about=account.id, reason="provider")
    return replace(known, account=account)
