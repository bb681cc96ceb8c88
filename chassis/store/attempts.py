"""Which messages were begun and, if the process died of one, not ended. Kept only for messages under suspicion."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, delete
from sqlalchemy.orm import Session

from chassis.store.unit_of_work import upsert


def begin(session: Session, attempt: Table, message_id: UUID, at: datetime) -> int:
    """Notes that a message is about to be handled, and says for which time."""
    first = upsert(session, attempt).values(message_id=message_id, tries=1, first_at=at)
    again = first.on_conflict_do_update(index_elements=["message_id"], set_={"tries": attempt.c.tries + 1})
    tries: int = session.execute(again.returning(attempt.c.tries)).scalar_one()
    return tries


def end(session: Session, attempt: Table, message_id: UUID) -> None:
    """Notes that the process has outlived it."""
    session.execute(delete(attempt).where(attempt.c.message_id == message_id))
