"""Saved views, read and written in a unit of work's transaction."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from web.shared.accounts.domain.saved_views import SavedView
from web.shared.accounts.store.tables import AccountTables


class SavedViewStore:
    def __init__(self, transaction: Transaction, tables: AccountTables) -> None:
        self._transaction, self._table = transaction, tables.saved_view

    def of(self, account_id: UUID) -> list[SavedView]:
        """Those of one person, by name."""
        theirs = select(self._table).where(self._table.c.account_id == account_id).order_by(self._table.c.name)
        return [SavedView(**row._mapping) for row in self._transaction.execute(theirs)]

    def add(self, view: SavedView) -> None:
        self._transaction.execute(self._table.insert().values(**asdict(view)))

    def remove(self, account_id: UUID, view_id: UUID) -> None:
        """Does nothing if it is gone, or somebody else's."""
        theirs = (self._table.c.account_id == account_id, self._table.c.id == view_id)
        self._transaction.execute(delete(self._table).where(*theirs))

    def remove_all(self, account_id: UUID) -> None:
        self._transaction.execute(delete(self._table).where(self._table.c.account_id == account_id))
