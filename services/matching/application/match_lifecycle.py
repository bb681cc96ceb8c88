"""Matches: made, ended, and gone on with where an end was a mistake."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
    TherapistMatched,
)
from contracts.vocabulary import (
    MatchEndReason,
    MatchId,
    UndoReason,
)
from services.matching.application.openings import open_to_waiting_list
from services.matching.application.timer_names import EXPIRE_OFFER, STALLED
from services.matching.dependencies import Dependencies
from services.matching.domain.offer import Match, Offer
from services.matching.domain.referral import Referral
from services.matching.domain.therapist import Therapist
from services.matching.store import therapists


def match(unit: UnitOfWork[Dependencies], referral: Referral, offer: Offer, therapist: Therapist) -> MatchId:
    """The therapist accepted the offer."""
    id_ = MatchId(unit.new_id())
    therapist.record_answer()
    therapist.use_reserved()
    referral.record_match(match_id=id_, therapist_id=therapist.id)
    unit.cancel_timer(EXPIRE_OFFER, offer.id)
    unit.cancel_timer(STALLED, referral.id)
    unit.session.add(Match(id=id_, referral_id=referral.id, therapist_id=therapist.id, matched_at=unit.now))
    unit.emit(
        TherapistMatched(
            match_id=id_,
            referral_id=referral.id,
            therapist_id=therapist.id,
            matched_at=unit.now,
            distance_km=offer.distance_km,
            session_fee_pence=therapist.session_fee_pence,
            sessions=offer.sessions,
        )
    )
    return id_


def end_match(unit: UnitOfWork[Dependencies], match: Match, reason: MatchEndReason) -> bool:
    """Client and therapist part. False if they had parted before."""
    if not match.end(reason=reason, at=unit.now):
        return False
    therapist = therapists.find_therapist(unit.session, match.therapist_id)
    if therapist is not None:
        therapist.regain_capacity()
        open_to_waiting_list(unit, therapist)
    unit.emit(
        MatchEnded(
            match_id=match.id,
            referral_id=match.referral_id,
            therapist_id=match.therapist_id,
            reason=reason,
            ended_at=unit.now,
        )
    )
    return True


def undo_end(unit: UnitOfWork[Dependencies], match: Match, referral: Referral, reason: UndoReason) -> None:
    """The end was a mistake. The caller has checked that no other therapist has been asked since."""
    match.undo_end(at=unit.now)
    therapist = therapists.find_therapist(unit.session, match.therapist_id)
    if therapist is not None:
        therapist.retake_capacity()
    unit.cancel_timer(STALLED, referral.id)
    referral.record_match(match_id=match.id, therapist_id=match.therapist_id)
    unit.emit(
        MatchEndUndone(
            match_id=match.id,
            referral_id=match.referral_id,
            therapist_id=match.therapist_id,
            reason=reason,
            undone_at=unit.now,
        )
    )
