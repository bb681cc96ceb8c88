"""What needs two people, from one who prepares it to another who confirms or declines it.

A confirmation is written down before the command is given, and that it was carried out after. In between nobody can
decline it, and whoever asks again gives the same command, which a service carries out once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from chassis.audit.chain import AuditAction
from web.shared.accounts.application.ground import Accounts, Work
from web.shared.accounts.domain.accounts import Person
from web.shared.accounts.domain.prepared import WAITS, Prepared
from web.shared.accounts.domain.refusals import NothingWaits
from web.shared.accounts.domain.sessions import SignedIn


def prepare(
    accounts: Accounts, by: SignedIn, *, id_: UUID, service: str, command: str, fields: Mapping[str, Any]
) -> Prepared:
    """Keeps a command for a second person: once, if the same is sent twice under one identifier."""
    with accounts.work() as work:
        if found := work.prepared.find(id_):
            if (found.prepared_by, found.fields) == (by.account_id, fields):
                return found
            id_ = work.unit.new_id()  # somebody went back and changed what they had sent
        prepared = Prepared(
            id=id_, service=service, command=command, fields=fields, prepared_by=by.account_id, prepared_at=work.now,
            signed_in_at=by.authenticated_at, factor=by.factor, until=work.now + WAITS,
        )  # fmt: skip
        work.prepared.add(prepared)
        work.record(AuditAction.COMMAND_PREPARED, who=by.account_id, about=id_, reason=command)
        return prepared


def confirm(accounts: Accounts, id_: UUID, *, by: UUID) -> tuple[Prepared, Person]:
    """The command to be given now, and whoever prepared it. Raises SomebodyElseConfirms, NothingWaits."""
    with accounts.work() as work:
        prepared = _get(work, id_)
        confirmed = prepared.confirm(by, at=work.now)
        if confirmed is not prepared:
            work.prepared.save(confirmed)
            work.record(AuditAction.COMMAND_CONFIRMED, who=by, about=id_, reason=prepared.command)
        return confirmed, work.accounts.get(prepared.prepared_by)


def decline(accounts: Accounts, id_: UUID, *, by: UUID) -> None:
    """Raises NothingWaits."""
    with accounts.work() as work:
        prepared = _get(work, id_)
        work.prepared.save(prepared.decline(by, at=work.now))
        work.record(AuditAction.COMMAND_DECLINED, who=by, about=id_, reason=prepared.command)


def settle(accounts: Accounts, id_: UUID, change: Callable[[Prepared], Prepared]) -> None:
    """Notes what the service said to it: `Prepared.done`, or `Prepared.refused`. Raises NothingWaits."""
    with accounts.work() as work:
        work.prepared.save(change(_get(work, id_)))


def _get(work: Work, id_: UUID) -> Prepared:
    found = work.prepared.find(id_, for_change=True)
    if found is None:
        raise NothingWaits
    return found
