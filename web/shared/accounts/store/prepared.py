"""Commands that wait for a second person, read and written in a unit of work's transaction."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as Transaction

from web.shared.accounts.domain.prepared import Prepared
from web.shared.accounts.domain.vocabulary import PreparedState
from web.shared.accounts.store.tables import AccountTables


class PreparedStore:
    def __init__(self, transaction: Transaction, tables: AccountTables) -> None:
        self._transaction, self._table = transaction, tables.prepared_command

    def add(self, prepared: Prepared) -> None:
        self._transaction.execute(self._table.insert().values(**asdict(prepared)))

    def save(self, prepared: Prepared) -> None:
        changed = update(self._table).where(self._table.c.id == prepared.id)
        self._transaction.execute(changed.values(state=prepared.state, decided_by=prepared.decided_by))

    def find(self, id_: UUID, *, for_change: bool = False) -> Prepared | None:
        """For a change it is locked until the transaction ends."""
        wanted = select(self._table).where(self._table.c.id == id_)
        row = self._transaction.execute(wanted.with_for_update() if for_change else wanted).one_or_none()
        return Prepared(**row._mapping) if row else None

    def all_open(self, command: str, at: datetime) -> list[Prepared]:
        """Those of one command that somebody has still to decide, the oldest first."""
        table, undecided = self._table, (PreparedState.WAITING, PreparedState.CONFIRMED)
        wanted = select(table).where(table.c.command == command, table.c.state.in_(undecided))
        found = (Prepared(**row._mapping) for row in self._transaction.execute(wanted.order_by(table.c.prepared_at)))
        return [one for one in found if one.is_open(at)]

    def forget(self, before: datetime) -> None:
        """Deletes those whose time was over before then."""
        self._transaction.execute(delete(self._table).where(self._table.c.until < before))
