"""The two links that are made on the machine itself: for the first administrator, and for a lost only one."""

from __future__ import annotations

from uuid import UUID

from chassis.audit.chain import AuditAction
from contracts.permissions import Role
from web.shared.accounts.application.ground import LINK_LASTS, Accounts, Work
from web.shared.accounts.domain.refusals import NoAdministrator, NotSole
from web.shared.accounts.domain.tokens import hash_of, new_secret
from web.shared.accounts.domain.vocabulary import LinkKind
from web.shared.accounts.store.sessions import Link

OPERATOR = "operator"
"""Who did it, in the audit log: somebody on the machine, whom no account vouches for."""


def first_link(accounts: Accounts) -> str | None:
    """A link by which the first administrator sets their account up; None once there is an account."""
    with accounts.work() as work:
        if work.accounts.count():
            return None
        token = new_secret()
        work.links.add(_link(work, token, LinkKind.FIRST_ADMINISTRATOR))
        return accounts.url_of_link(token)


def recover(accounts: Accounts) -> str:
    """A link by which the only administrator sets password and second factor up anew, on record.

    Raises NoAdministrator if nobody is administrator, and NotSole if another one can send them a link.
    """
    with accounts.work() as work:
        administrators = work.accounts.holders(Role.ADMINISTRATOR)
        if not administrators:
            raise NoAdministrator
        if len(administrators) > 1:
            raise NotSole
        (administrator,) = administrators
        token = new_secret()
        work.links.add(_link(work, token, LinkKind.RENEWAL, administrator.id))
        work.record(AuditAction.ACCOUNT_RECOVERED, who=OPERATOR, about=administrator.id)
        return accounts.url_of_link(token)


def _link(work: Work, token: str, kind: LinkKind, account_id: UUID | None = None) -> Link:
    return Link(hash_of(token), kind, account_id, work.now, work.now + LINK_LASTS)
