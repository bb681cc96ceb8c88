"""Identifiers: UUIDv7, ascending within a process, so that rows land at the end of an index."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()


def first_id_of(moment: datetime) -> UUID:
    """An id lower than every id made at or after this moment, and higher than all made before its millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
