"""Finds matches, and the therapists whom a client left as unhappy."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import (
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    MatchEndReason,
    MatchId,
    ReferralId,
    TherapistId,
)
from services.matching.domain.offer import Match
from services.matching.store.tables import matches

_UNHAPPY = prepared(
    select(matches.c.therapist_id).where(
        matches.c.referral_id == bindparam("referral_id"), matches.c.reason == MatchEndReason.CLIENT_UNHAPPY
    )
)


def left_unhappy(session: Session, referral_ids: Collection[ReferralId]) -> set[TherapistId]:
    """Therapists whom the client of these referrals left as unhappy."""
    found = (session.execute(_UNHAPPY, {"referral_id": id_}).scalars() for id_ in referral_ids)
    return {therapist_id for of_referral in found for therapist_id in of_referral}


def find_match(session: Session, match_id: MatchId) -> Match | None:
    return identity_map.lock(session, Match, match_id)


def live_match_of(session: Session, referral_id: ReferralId) -> Match | None:
    wanted = select(Match).where(matches.c.referral_id == referral_id, matches.c.ended_at.is_(None))
    return session.execute(wanted.with_for_update()).scalar_one_or_none()


def live_matches_of(session: Session, therapist_id: TherapistId) -> list[Match]:
    """Of one therapist, the longest first."""
    wanted = select(Match).where(matches.c.therapist_id == therapist_id, matches.c.ended_at.is_(None))
    return list(session.execute(wanted.order_by(matches.c.matched_at, matches.c.id)).scalars())


def count_live(session: Session, therapist_ids: Collection[TherapistId]) -> dict[TherapistId, int]:
    """How many clients each of them sees now; whoever sees none is left out."""
    counted = select(matches.c.therapist_id, func.count().label("clients")).where(matches.c.ended_at.is_(None))
    of_these = counted.where(matches.c.therapist_id.in_(therapist_ids)).group_by(matches.c.therapist_id)
    return {row.therapist_id: row.clients for row in session.execute(of_these)}


def last_match_of(session: Session, referral_id: ReferralId) -> MatchId | None:
    of_referral = select(matches.c.id).where(matches.c.referral_id == referral_id)
    found = session.execute(of_referral.order_by(matches.c.matched_at.desc(), matches.c.id.desc()).limit(1))
    return found.scalar_one_or_none()
