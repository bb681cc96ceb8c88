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
from services.matching.application.search import seek
from services.matching.application.timer_names import STALLED
from services.matching.dependencies import Dependencies
from services.matching.domain.referral import Referral
from services.matching.store import concerns, matches, offers, referrals


def heed_concerns(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    """Holds back, or goes on with, every search for a person about whom there may be an open concern."""
    if not unit.dependencies.settings.hold_for_concerns:
        return
    unit.session.flush()
    everything = referrals.all_of_person(unit.session, referral_id)
    is_open = concerns.has_open_concern(unit.session, everything)
    for id_ in sorted(everything):
        referral = referrals.find_referral(unit.session, id_)
        if referral is None or referral.concern_open == is_open:
            continue
        referral.heed_concern(is_open=is_open, at=unit.now)
        if is_open:
            _take_back_while_on_hold(unit, referral)
        else:
            seek(unit, referral)


def stop(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Nobody is sought any more, and whatever the search had come to is undone."""
    if not referral.stop():
        return
    unit.cancel_timer(STALLED, referral.id)
    offer = offers.open_offer_of(unit.session, referral.id)
    if offer is not None:
        withdraw_offer(unit, offer, OfferWithdrawalReason.REFERRAL_WITHDRAWN)
    match_ = matches.live_match_of(unit.session, referral.id)
    if match_ is not None:
        end_match(unit, match_, MatchEndReason.WITHDRAWN)


def hold(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Nobody is sought for now, and nobody has to answer. Therapy that has begun goes on."""
    referral.hold(at=unit.now)
    _take_back_while_on_hold(unit, referral)


def _take_back_while_on_hold(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    unit.cancel_timer(STALLED, referral.id)
    offer = offers.open_offer_of(unit.session, referral.id)
    if offer is not None:
        withdraw_offer(unit, offer, OfferWithdrawalReason.REFERRAL_ON_HOLD)
