"""Finds matches: by identifier, referral or day, and those of which nobody knows whether client and therapist met."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    MatchEndReason,
    MatchId,
    ReferralId,
)
from services.billing.domain.fees import Ending
from services.billing.domain.matches import Match
from services.billing.store import tables
from services.billing.store.rows import required

_invoice = tables.invoice_table.c
_match = tables.match_table.c
_referral = tables.referral_table.c
_session = tables.session_table.c

_MATCHES_OF = prepared(
    select(Match).where(_match.referral_id == bindparam("referral_id")).order_by(_match.matched_at, _match.id)
)


def find_match(session: Session, match_id: MatchId) -> Match | None:
    return identity_map.find(session, Match, match_id)


def matches_of(session: Session, referral_id: ReferralId) -> Sequence[Match]:
    """Every match of a referral, the earliest first."""
    return session.scalars(_MATCHES_OF, {"referral_id": referral_id}).all()


def find_current_match(session: Session, referral_id: ReferralId) -> Match | None:
    """The match that goes on: the latest of those that have not ended."""
    going_on = [match for match in matches_of(session, referral_id) if match.end_reason is None]
    return going_on[-1] if going_on else None


def find_match_on(
    session: Session, referral_id: ReferralId, day: date, match_id: MatchId | None = None
) -> Match | None:
    """The match in which client and therapist could meet on that day, locked, so that no session is noted twice.

    The latest of several, or the one that is named.
    """
    possible = [
        match for match in matches_of(session, referral_id) if match.covers(day) and match_id in (None, match.id)
    ]
    match = identity_map.lock(session, Match, possible[-1].id) if possible else None
    return match if match and match.covers(day) else None


def unrecorded_matches(session: Session, *, matched_before: datetime, limit: int) -> Sequence[Match]:
    """Matches of which nobody knows whether client and therapist have met, the oldest first.

    Those made before a moment, and those that have ended in another way than one that tells.
    """
    met = select(_session.match_id).where(_session.reversed_at.is_(None))
    ended_silently = _match.end_reason.in_((MatchEndReason.WITHDRAWN, MatchEndReason.CLIENT_UNHAPPY))
    going_on = and_(_match.end_reason.is_(None), _match.matched_at < matched_before)
    closed = select(_referral.id).where(_referral.ending == Ending.CLOSED)
    charged = select(_invoice.match_id).where(_invoice.match_id.is_not(None), _invoice.credited_pence == 0)
    found = (
        select(Match)
        .where(
            _match.id.not_in(met),
            _match.id.in_(charged),
            _match.referral_id.not_in(closed),
            _match.never_attended_at.is_(None),
            or_(ended_silently, going_on),
        )
        .order_by(_match.matched_at, _match.id)
        .limit(limit)
    )
    return session.scalars(found).all()


def get_match(session: Session, match_id: MatchId) -> Match:
    return required(find_match(session, match_id))


def lock_match(session: Session, match_id: MatchId) -> Match | None:
    return identity_map.lock(session, Match, match_id)
