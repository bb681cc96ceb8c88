"""The number of the newest fact about each subject and topic, so that an older one that comes late is dropped."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_
from sqlalchemy.orm import Session

from chassis.store.dialects import INSERTS
from chassis.store.prepared import prepared
from services.notifications.store.tables import latest_facts


def _advance(statement: Any) -> Any:
    moving = statement.on_conflict_do_update(
        index_elements=["subject_id", "topic"],
        set_={"sequence": statement.excluded.sequence},
        where=or_(  # as `contracts.watermark.is_newer` has it
            latest_facts.c.sequence < statement.excluded.sequence,
            and_(latest_facts.c.sequence == 0, statement.excluded.sequence == 0),
        ),
    )
    return prepared(moving.returning(latest_facts.c.sequence))


_ADVANCE = {dialect: _advance(insert(latest_facts)) for dialect, insert in INSERTS.items()}


def advance(session: Session, subject_id: UUID, topic: str, sequence: int) -> bool:
    """Records a fact's sequence number. False if this fact or a newer one was recorded on the topic before."""
    fact = {"subject_id": subject_id, "topic": topic, "sequence": sequence}
    return session.execute(_ADVANCE[session.get_bind().dialect.name], fact).scalar() is not None
