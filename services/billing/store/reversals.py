"""Records who took a payment or a session back, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.billing.store import tables


@dataclass(frozen=True)
class Reversal:
    """Who took something back, when and why."""

    at: datetime
    by: str
    reason: str


def find_reversal(session: Session, id_: UUID) -> Reversal | None:
    """Who took the payment or session of this identifier back."""
    table = tables.reversal_table.c
    found = session.execute(select(table.reversed_at, table.reversed_by, table.reason).where(table.id == id_))
    row = found.one_or_none()
    return Reversal(row.reversed_at, row.reversed_by, row.reason) if row else None


def add_reversal(session: Session, id_: UUID, reversal: Reversal) -> None:
    row = {"id": id_, "reversed_at": reversal.at, "reversed_by": reversal.by, "reason": reversal.reason}
    session.execute(tables.reversal_table.insert(), row)
