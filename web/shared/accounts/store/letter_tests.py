"""Letters that were tried out, read and written in a unit of work's transaction."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session as Transaction

from web.shared.accounts.domain.letter_tests import LetterTest
from web.shared.accounts.store.tables import AccountTables


class LetterTestStore:
    def __init__(self, transaction: Transaction, tables: AccountTables) -> None:
        self._transaction, self._table = transaction, tables.letter_test

    def add(self, test: LetterTest) -> None:
        self._transaction.execute(self._table.insert().values(**asdict(test)))

    def save(self, test: LetterTest) -> None:
        changed = update(self._table).where(self._table.c.id == test.id)
        self._transaction.execute(changed.values(tries=test.tries, arrived_at=test.arrived_at))

    def find(self, id_: UUID) -> LetterTest | None:
        row = self._transaction.execute(select(self._table).where(self._table.c.id == id_)).one_or_none()
        return LetterTest(**row._mapping) if row else None

    def newest_of(self, account_id: UUID) -> LetterTest | None:
        """The newest that somebody asked for."""
        theirs = select(self._table).where(self._table.c.account_id == account_id)
        return self._first(theirs.order_by(self._table.c.sent_at.desc(), self._table.c.id.desc()))

    def newest_that_arrived(self) -> LetterTest | None:
        arrived = select(self._table).where(self._table.c.arrived_at.is_not(None))
        return self._first(arrived.order_by(self._table.c.arrived_at.desc()))

    def forget(self, before: datetime) -> None:
        self._transaction.execute(delete(self._table).where(self._table.c.sent_at < before))

    def _first(self, wanted: Select[Any]) -> LetterTest | None:
        row = self._transaction.execute(wanted.limit(1)).one_or_none()
        return LetterTest(**row._mapping) if row else None
