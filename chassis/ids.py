"""Identifiers: UUIDv7, ascending within a process, so that rows land at the end of an index."""

from __future__ import annotations

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()
