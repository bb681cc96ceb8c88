"""Searching: who is asked next, and what happens when nobody can be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chassis.ports import Unit
from chassis.workdays import add_working_days
from contracts.events.matching import MatchEnded, OfferWithdrawn, TherapistMatched, TherapistOffered
from contracts.vocabulary import MatchEndReason, MatchId, OfferId, OfferWithdrawalReason, Sessions, TherapistId
from services.matching import store
from services.matching.domain.links import may_share_a_therapist
from services.matching.domain.offer import Match, Offer
from services.matching.domain.referral import Referral
from services.matching.domain.suitability import Candidate, candidate, candidates, why_nobody
from services.matching.domain.therapist import Therapist
from services.matching.tools import Tools

EXPIRE_OFFER, STALLED, SERVE_WAITING_LIST = "expire_offer", "stalled", "serve_waiting_list"
"""The names of matching's timers."""


def seek(unit: Unit[Tools], referral: Referral) -> None:
    """Asks the next best therapist, or puts the referral on the waiting list; nobody while it is on hold."""
    if referral.on_hold:
        return
    for found in _candidates(unit, referral):
        # Another replica may have filled the last place meanwhile, so it is read again under a lock.
        therapist = store.find_therapist(unit.session, found.therapist.id)
        if therapist is not None and therapist.has_room and not therapist.suspended:
            _offer(unit, referral, found)
            return
    _wait(unit, referral)


def serve_waiting_list_soon(unit: Unit[Tools]) -> None:
    """Has the waiting list tried again, once for all that happened meanwhile."""
    unit.set_timer(SERVE_WAITING_LIST, "all", unit.now)


def withdraw_offer(unit: Unit[Tools], offer: Offer, reason: OfferWithdrawalReason) -> None:
    """Takes an open offer back."""
    if not offer.withdraw():
        return
    release_place(unit, offer)
    unit.emit(
        OfferWithdrawn(offer_id=offer.id, referral_id=offer.referral_id, therapist_id=offer.therapist_id, reason=reason)
    )


def release_place(unit: Unit[Tools], offer: Offer) -> None:
    """An offer came to nothing: the place that it held is free again."""
    unit.cancel_timer(EXPIRE_OFFER, offer.id)
    therapist = store.find_therapist(unit.session, offer.therapist_id)
    if therapist is not None:
        therapist.free_held_place()
        serve_waiting_list_soon(unit)


def match(unit: Unit[Tools], referral: Referral, offer: Offer, therapist: Therapist) -> MatchId:
    """The therapist accepted."""
    id_ = MatchId(unit.new_id())
    therapist.fill_held_place()
    referral.matched(match_id=id_, therapist_id=therapist.id)
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


def end_match(unit: Unit[Tools], match: Match, reason: MatchEndReason) -> bool:
    """Client and therapist part. False if they had parted before."""
    if not match.end(reason=reason, at=unit.now):
        return False
    therapist = store.find_therapist(unit.session, match.therapist_id)
    if therapist is not None:
        therapist.empty_place()
        serve_waiting_list_soon(unit)
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


def stop(unit: Unit[Tools], referral: Referral) -> None:
    """Nobody is sought any more, and whatever the search had come to is undone."""
    if not referral.stop():
        return
    unit.cancel_timer(STALLED, referral.id)
    offer = store.open_offer_of(unit.session, referral.id)
    if offer is not None:
        withdraw_offer(unit, offer, OfferWithdrawalReason.REFERRAL_WITHDRAWN)
    match_ = store.live_match_of(unit.session, referral.id)
    if match_ is not None:
        end_match(unit, match_, MatchEndReason.WITHDRAWN)


def hold(unit: Unit[Tools], referral: Referral) -> None:
    """Nobody is sought for now, and nobody has to answer. Therapy that has begun goes on."""
    referral.hold()
    unit.cancel_timer(STALLED, referral.id)
    offer = store.open_offer_of(unit.session, referral.id)
    if offer is not None:
        withdraw_offer(unit, offer, OfferWithdrawalReason.REFERRAL_ON_HOLD)


def keep_apart(unit: Unit[Tools], referral: Referral) -> None:
    """Takes an open offer back from a therapist whom somebody linked to the client has, and asks another."""
    offer = store.open_offer_of(unit.session, referral.id)
    if offer is not None and offer.therapist_id in _kept_apart(unit, referral):
        withdraw_offer(unit, offer, OfferWithdrawalReason.REFERRALS_LINKED)
        seek(unit, referral)


def _not_to_be_asked(unit: Unit[Tools], referral: Referral) -> set[TherapistId]:
    """Who was asked before, and the therapists of those whom intake keeps apart from the client."""
    return store.already_asked(unit.session, referral.id) | _kept_apart(unit, referral)


def _kept_apart(unit: Unit[Tools], referral: Referral) -> set[TherapistId]:
    linked = store.linked_to(unit.session, referral.id)
    apart = [other.id for kind, other in linked if not may_share_a_therapist(referral, other, kind=kind)]
    return store.therapists_of(unit.session, apart) if apart else set()


def _candidates(unit: Unit[Tools], referral: Referral) -> Iterator[Candidate]:
    """The best first. Those who meet online are looked for only when nobody who meets in person will do."""
    asked = _not_to_be_asked(unit, referral)
    if referral.sessions is not Sessions.ONLINE:
        near = candidates(referral, store.with_room_near(unit.session, referral), already_asked=asked)
        yield from (one for one in near if one.sessions is Sessions.IN_PERSON)
    if referral.sessions is not Sessions.IN_PERSON:
        therapists = store.with_room_online(unit.session, referral)
        online = (candidate(referral, one, already_asked=asked) for one in therapists)
        yield from (one for one in online if one and one.sessions is Sessions.ONLINE)


def _offer(unit: Unit[Tools], referral: Referral, candidate: Candidate) -> None:
    therapist = candidate.therapist
    offer = Offer(
        id=OfferId(unit.new_id()),
        referral_id=referral.id,
        therapist_id=therapist.id,
        offered_at=unit.now,
        expires_at=add_working_days(unit.now, unit.tools.settings.offer_working_days),
        distance_km=candidate.distance_km,
        sessions=candidate.sessions,
    )
    therapist.hold_place()
    referral.offered()
    unit.session.add(offer)
    unit.set_timer(EXPIRE_OFFER, offer.id, offer.expires_at)
    _tell(unit, referral, offer)


def _tell(unit: Unit[Tools], referral: Referral, offer: Offer) -> None:
    assert referral.work is not None, "nobody is sought before the assessment"
    unit.emit(
        TherapistOffered(
            offer_id=offer.id,
            referral_id=offer.referral_id,
            therapist_id=offer.therapist_id,
            expires_at=offer.expires_at,
            client_group=referral.client_group,
            work=referral.work,
            sessions=offer.sessions,
            distance_km=offer.distance_km,
        )
    )


def _wait(unit: Unit[Tools], referral: Referral) -> None:
    asked = _not_to_be_asked(unit, referral)
    reason = why_nobody(referral, store.all_therapists(unit.session), already_asked=asked)
    if referral.must_wait(waiting_for=reason, at=unit.now):
        unit.set_timer(STALLED, referral.id, _patience_ends(unit, unit.now))


def _patience_ends(unit: Unit[Tools], since: datetime) -> datetime:
    return add_working_days(since, unit.tools.settings.stalled_after_working_days)
