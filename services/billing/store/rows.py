"""What every repository of billing needs. `get_…` raises NotFound, `find_…` may return None, `lock_…` locks the row."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

T = TypeVar("T")


StatementT = TypeVar("StatementT", bound=Select[Any])


def locked(found: StatementT) -> StatementT:
    """Locks, and reads afresh: what the session holds may be older than what another committed while this waited."""
    return found.with_for_update().execution_options(populate_existing=True)


class NotFound(LookupError):
    """Nothing of this identifier is kept here."""


def add(session: Session, row: object) -> None:
    """Adds a new row and flushes it, so that rows which refer to it can follow."""
    session.add(row)
    session.flush()


def required(found: T | None) -> T:
    if found is None:
        raise NotFound("nothing of this identifier is kept here")
    return found
