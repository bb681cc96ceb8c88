"""Sealed submissions that could not be opened or read: stored unchanged until they can be."""

from __future__ import annotations

from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from chassis.store.unit_of_work import upsert

KeptT = TypeVar("KeptT")


class UnreadableStore(Generic[KeptT]):
    """Rows of a table by their `submission_id`, each read as `kind`, whose fields are the table's columns."""

    def __init__(self, table: Table, kind: type[KeptT]) -> None:
        self._table, self._kind = table, kind

    def keep(self, session: Session, row: dict[str, Any]) -> None:
        """Inserts a row, unless its submission is there already."""
        session.execute(upsert(session, self._table).values(row).on_conflict_do_nothing())

    def oldest(self, session: Session, limit: int) -> list[KeptT]:
        columns = self._table.c
        wanted = select(self._table).order_by(columns.received_at, columns.submission_id).limit(limit)
        return [self._kind(**row._mapping) for row in session.execute(wanted)]

    def find(self, session: Session, submission_id: UUID) -> KeptT | None:
        """The row, locked until the unit ends; None if there is none."""
        wanted = select(self._table).where(self._table.c.submission_id == submission_id).with_for_update()
        row = session.execute(wanted).one_or_none()
        return self._kind(**row._mapping) if row else None

    def drop(self, session: Session, submission_id: UUID) -> None:
        session.execute(delete(self._table).where(self._table.c.submission_id == submission_id))
