"""Attempts to handle messages that may kill the process: one that is begun and never ended did kill it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, delete
from sqlalchemy.orm import Session

from chassis.store.unit_of_work import upsert


def begin(session: Session, attempt: Table, message_id: UUID, at: datetime) -> int:
    """Records that a message is about to be handled, and returns how many attempts this makes."""
    first = upsert(session, attempt).values(message_id=message_id, tries=1, first_at=at)
    again = first.on_conflict_do_update(index_elements=["message_id"], set_={"tries": attempt.c.tries + 1})
    tries: int = session.execute(again.returning(attempt.c.tries)).scalar_one()
    return tries


def end(session: Session, attempt: Table, message_id: UUID) -> None:
    """Records that the process has survived the message."""
    session.execute(delete(attempt).where(attempt.c.message_id == message_id))
