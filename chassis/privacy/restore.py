"""What a service does once after its database was restored from a backup."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from chassis.privacy.vault import DESTROYED

RESTORED = "restored"
"""The timer that a restored database is given: what was encrypted under keys that are destroyed is forgotten again."""


def destroyed(session: Session, data_keys: Table) -> Sequence[UUID]:
    """Whose keys were destroyed."""
    return session.execute(select(data_keys.c.subject_id).where(data_keys.c.wrapped == DESTROYED)).scalars().all()
