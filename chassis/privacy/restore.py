"""The timer that a service handles once after its database was restored from a backup."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from chassis.privacy.vault import DESTROYED

RESTORED = "restored"
"""The name of that timer, which the restore sets: rows that were encrypted under destroyed keys are deleted again."""


def destroyed(session: Session, data_keys: Table) -> Sequence[UUID]:
    """The people whose data keys were destroyed."""
    return session.execute(select(data_keys.c.subject_id).where(data_keys.c.wrapped == DESTROYED)).scalars().all()
