"""When a search stops, pauses or goes on."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.vocabulary import (
    MatchEndReason,
    OfferWithdrawalReason,
    ReferralId,
)
from services.matching.application.match_lifecycle import end_match
from services.matching.application.offer_endings import withdraw_offer
from services.matching.application.search import offer_next
from services.matching.application.timer_names import STALLED
from services.matching.dependencies import Dependencies
from services.matching.domain.referral import Referral
from services.matching.store import concerns, matches, offers, referrals


def apply_concerns(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    """Pauses every search for a person while an immediate concern about them is open, and resumes them after it."""
    if not unit.dependencies.settings.pause_for_concerns:
        return
    unit.session.flush()
    referral_ids = referrals.all_of_person(unit.session, referral_id)
    is_open = concerns.has_open_concern(unit.session, referral_ids)
    for id_ in sorted(referral_ids):
        referral = referrals.find_referral(unit.session, id_)
        if referral is None or referral.concern_open == is_open:
            continue
        referral.apply_concern(is_open=is_open, at=unit.now)
        if is_open:
            _withdraw_while_paused(unit, referral)
        else:
            offer_next(unit, referral)


def stop(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Ends the search, withdraws an open offer and ends a match."""
    if not referral.stop():
        return
    unit.cancel_timer(STALLED, referral.id)
    offer = offers.open_offer_of(unit.session, referral.id)
    if offer is not None:
        withdraw_offer(unit, offer, OfferWithdrawalReason.REFERRAL_WITHDRAWN)
    match_ = matches.live_match_of(unit.session, referral.id)
    if match_ is not None:
        end_match(unit, match_, MatchEndReason.WITHDRAWN)


def pause(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Makes no offer for now, and withdraws an open one. Therapy that has begun goes on."""
    referral.pause(at=unit.now)
    _withdraw_while_paused(unit, referral)


def _withdraw_while_paused(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    unit.cancel_timer(STALLED, referral.id)
    offer = offers.open_offer_of(unit.session, referral.id)
    if offer is not None:
        withdraw_offer(unit, offer, OfferWithdrawalReason.REFERRAL_ON_HOLD)
