"""What matching does at each time it has set itself."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import Timer, UnitOfWork
from contracts.events.matching import MatchingStalled, OfferExpired
from contracts.vocabulary import (
    OfferId,
    ReferralId,
    TherapistId,
)
from services.matching.application import offer_endings, openings, search
from services.matching.application.lookup import expect_referral, expect_therapist
from services.matching.application.search import offer_next
from services.matching.application.timer_names import SERVE_WAITING_LIST
from services.matching.dependencies import Dependencies
from services.matching.domain.therapist import Therapist
from services.matching.store import offers, referrals, therapists, waiting_list


def expire_offer(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Nobody answered in time, so the next best is asked."""
    offer = offers.find_offer(unit.session, OfferId(UUID(timer.key)))
    if offer is None or not offer.expire():
        return
    offer_endings.record_unanswered(unit, offer)
    offer_endings.release_capacity(unit, offer)
    unit.emit(OfferExpired(offer_id=offer.id, referral_id=offer.referral_id, therapist_id=offer.therapist_id))
    referral = expect_referral(unit, offer.referral_id)
    referral.resume_search()
    search.offer_next(unit, referral)


def report_stalled(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """The office is notified, once, that a referral has been waiting for long. The search goes on."""
    referral = referrals.find_referral(unit.session, ReferralId(UUID(timer.key)))
    if referral is None or referral.waiting_since is None:
        return
    referral.waiting_for, referral.stall_told = search.why_nobody(unit, referral), True
    unit.emit(
        MatchingStalled(
            referral_id=referral.id,
            reason=referral.waiting_for,
            waiting_since=referral.waiting_since,
            highest_fee_pence=referral.highest_fee_pence,
        )
    )


def serve_waiting_list(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """A therapist has room: tries the referrals on the waiting list that they may suit."""
    serve_one_opening(unit)


def come_back(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """The day has come until which a therapist was away."""
    therapist = expect_therapist(unit, TherapistId(UUID(timer.key)))
    therapist.come_back()
    openings.open_to_waiting_list(unit, therapist)


def note_release(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """The day of a client's release from prison has come, so sessions can be online too."""
    referral = referrals.find_referral(unit.session, ReferralId(UUID(timer.key)))
    if referral is not None and referral.release_from_prison():
        search.offer_next(unit, referral)


TRIED_AT_ONCE = 16
"""Referrals that one unit of work tries for a therapist with room: some milliseconds, while all else waits."""


def serve_one_opening(unit: UnitOfWork[Dependencies]) -> None:
    """Tries the referrals that one therapist may suit, the longest waiting first, some at a time.

    Each is offered to the best therapist there is for it, who need not be this one.
    """
    openings_due = waiting_list.next_openings(unit.session, limit=2)
    if not openings_due:
        return
    opening, *others = openings_due
    therapist = therapists.read_therapist(unit.session, opening.therapist_id)
    tried = _try_waiting_list(unit, therapist, opening.after) if therapist is not None else []
    if len(tried) == TRIED_AT_ONCE:
        waiting_list.go_on_after(unit.session, opening, tried[-1])
    else:
        waiting_list.close_opening(unit.session, opening)
    if others or len(tried) == TRIED_AT_ONCE:
        unit.set_timer(SERVE_WAITING_LIST, "all", unit.now)


def _try_waiting_list(
    unit: UnitOfWork[Dependencies], therapist: Therapist, after: waiting_list.Entry
) -> list[waiting_list.Entry]:
    """The entries that were tried, until the therapist has no room."""
    if not therapist.can_be_asked:
        return []
    tried = []
    for entry in waiting_list.waiting_for(unit.session, therapist, after=after, limit=TRIED_AT_ONCE):
        if not therapist.can_be_asked:
            return []
        tried.append(entry)
        referral = referrals.find_referral(unit.session, ReferralId(entry[1]))
        if referral is not None:
            offer_next(unit, referral)
    return tried
