"""Finds and counts sessions that were attended."""

from __future__ import annotations

from datetime import date

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    AwardId,
    MatchId,
    SessionId,
)
from services.billing.domain.matches import AttendedSession
from services.billing.store import tables

_session = tables.session_table.c

_SESSIONS_ATTENDED = prepared(
    select(func.count())
    .select_from(tables.session_table)
    .where(_session.match_id == bindparam("match_id"), _session.reversed_at.is_(None))
)


def has_session(session: Session, match_id: MatchId, on: date) -> bool:
    stands = (_session.match_id == match_id, _session.attended_on == on, _session.reversed_at.is_(None))
    return session.execute(select(_session.id).where(*stands)).first() is not None


def sessions_attended(session: Session, match_id: MatchId) -> int:
    """How many sessions are on record and were not taken back."""
    session.flush()
    return int(session.execute(_SESSIONS_ATTENDED, {"match_id": match_id}).scalar_one())


def find_session(session: Session, session_id: SessionId) -> AttendedSession | None:
    """A session, locked."""
    return identity_map.lock(session, AttendedSession, session_id)


def last_session_of(session: Session, award_id: AwardId) -> date | None:
    """The day of the last session that an award paid."""
    wanted = select(func.max(_session.attended_on)).where(_session.award_id == award_id, _session.reversed_at.is_(None))
    last: date | None = session.execute(wanted).scalar_one()
    return last
