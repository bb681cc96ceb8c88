"""The search for a therapist: who is offered a referral next, and who waits because nobody can be."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from chassis.ports import UnitOfWork
from chassis.privacy.one_time_links import hash_of, new_token
from chassis.workdays import add_working_days
from contracts.events.matching import (
    TherapistOffered,
)
from contracts.sealed import LinkSecret
from contracts.vocabulary import (
    OfferId,
    OfferWithdrawalReason,
    ReferralId,
    Sessions,
    StallReason,
    TherapistId,
)
from services.matching.application.offer_endings import withdraw_offer
from services.matching.application.timer_names import EXPIRE_OFFER, STALLED
from services.matching.dependencies import Dependencies
from services.matching.domain.links import may_share_a_therapist
from services.matching.domain.offer import Offer
from services.matching.domain.referral import Referral, State
from services.matching.domain.suitability import Candidate, WhyNobody, candidate, still_suits
from services.matching.domain.therapist import Therapist
from services.matching.store import candidates, links, matches, offers, referrals, therapists


def offer_next(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Offers the referral to the best therapist who can be asked now, or puts it on the waiting list.

    Does nothing while it is paused.
    """
    if referral.state is not State.WAITING or referral.is_paused:
        return
    excluded = _excluded(unit, referral)
    for found in _candidates(unit, referral, excluded):
        # Another replica may have used the therapist's last capacity meanwhile, so they are read again under a lock.
        therapist = therapists.find_therapist(unit.session, found.therapist.id)
        if therapist is not None and candidate(referral, therapist, excluded=excluded):
            offer_to(unit, referral, found)
            return
    _wait(unit, referral, excluded)


def review_offer(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Something about the client has changed: withdraws an open offer that no longer suits, and makes the next."""
    offer = offers.open_offer_of(unit.session, referral.id) if referral.state is State.OFFERED else None
    if offer is not None:
        _withdraw_unless_suitable(unit, offer, referral)
    offer_next(unit, referral)


def review_offers_of(unit: UnitOfWork[Dependencies], therapist: Therapist) -> None:
    """Something about the therapist has changed: as `review_offer`, for each referral that they are offered."""
    for offer in offers.open_offers(unit.session, therapist.id):
        referral = referrals.find_referral(unit.session, offer.referral_id)
        if referral is not None and _withdraw_unless_suitable(unit, offer, referral):
            offer_next(unit, referral)


def keep_apart(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    """Withdraws open offers to therapists of somebody who is linked to the client, and asks others."""
    for id_ in sorted(referrals.all_of_person(unit.session, referral_id)):
        referral = referrals.find_referral(unit.session, id_)
        offer = offers.open_offer_of(unit.session, id_)
        if referral is None or offer is None:
            continue
        if offer.therapist_id in excluded_for_good(unit, referral) and _withdraw(
            unit, offer, referral, OfferWithdrawalReason.REFERRALS_LINKED
        ):
            offer_next(unit, referral)


def make_way(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Withdraws an open offer, since a person has somebody else asked."""
    offer = offers.open_offer_of(unit.session, referral.id)
    if offer is not None:
        _withdraw(unit, offer, referral, OfferWithdrawalReason.ANOTHER_CHOSEN)


def _withdraw(unit: UnitOfWork[Dependencies], offer: Offer, referral: Referral, reason: OfferWithdrawalReason) -> bool:
    withdraw_offer(unit, offer, reason)
    referral.resume_search()
    return True


def _withdraw_unless_suitable(unit: UnitOfWork[Dependencies], offer: Offer, referral: Referral) -> bool:
    """False if the offer still suits."""
    therapist = therapists.find_therapist(unit.session, offer.therapist_id)
    if therapist is not None and still_suits(therapist, referral, sessions=offer.sessions):
        return False
    return _withdraw(unit, offer, referral, OfferWithdrawalReason.NO_LONGER_SUITABLE)


def _excluded(unit: UnitOfWork[Dependencies], referral: Referral) -> set[TherapistId]:
    """Therapists who were asked about this referral before, and those who are never to be."""
    never = excluded_for_good(unit, referral)
    return never | offers.already_asked(unit.session, referral.id)


def excluded_for_good(unit: UnitOfWork[Dependencies], referral: Referral) -> set[TherapistId]:
    """Therapists whom the client left as unhappy, and those of clients whom intake has linked to this one.

    Both belong to the person: it doesn't matter of which of their referrals it was said.
    """
    unit.session.flush()
    own = referrals.all_of_person(unit.session, referral.id)
    # A therapist left in this referral was asked about it, and is excluded by that; only other referrals add any.
    never = matches.left_unhappy(unit.session, own) if len(own) > 1 else set()
    apart: set[ReferralId] = set()
    for kind, linked_id in links.linked_to(unit.session, own):
        for id_ in referrals.all_of_person(unit.session, linked_id):
            other = referrals.read_referral(unit.session, id_)
            if other is not None and not may_share_a_therapist(referral, other, kind=kind):
                apart.add(id_)
    return never | links.therapists_of(unit.session, apart - own) if apart else never


def _candidates(unit: UnitOfWork[Dependencies], referral: Referral, excluded: set[TherapistId]) -> Iterator[Candidate]:
    """The best first. Therapists online are searched only if nobody in person meets every preference."""
    order = unit.dependencies.settings.order
    near: Iterator[Candidate] = iter(())
    if referral.would_meet_in_person:
        nearby = candidates.with_room_near(unit.session, referral, order)
        near = _who_meet(Sessions.IN_PERSON, nearby, referral, excluded)
    for found in near:
        if found.unmet or found.therapist.asked_last:
            near = chain([found], near)
            break
        yield found
    if referral.would_meet_online:
        everywhere = candidates.with_room_online(unit.session, referral, order)
        online = _who_meet(Sessions.ONLINE, everywhere, referral, excluded)
        yield from heapq.merge(near, online, key=lambda candidate: candidate.rank(order))
    else:
        yield from near


def _who_meet(
    sessions: Sessions, found: Iterator[Therapist], referral: Referral, excluded: set[TherapistId]
) -> Iterator[Candidate]:
    possible = (candidate(referral, therapist, excluded=excluded) for therapist in found)
    return (each for each in possible if each is not None and each.sessions is sessions)


def offer_to(unit: UnitOfWork[Dependencies], referral: Referral, candidate: Candidate) -> None:
    therapist = candidate.therapist
    offer = Offer(
        id=OfferId(unit.new_id()),
        referral_id=referral.id,
        therapist_id=therapist.id,
        offered_at=unit.now,
        expires_at=add_working_days(unit.now, unit.dependencies.settings.offer_working_days),
        distance_km=candidate.distance_km,
        sessions=candidate.sessions,
    )
    therapist.reserve(at=unit.now)
    referral.record_offer(at=unit.now)
    token = new_token()
    offer.token_hash = hash_of(token)
    sealed = unit.dependencies.keyring.seal("notifications", LinkSecret(token=token))
    unit.cancel_timer(STALLED, referral.id)
    unit.session.add(offer)
    unit.set_timer(EXPIRE_OFFER, offer.id, offer.expires_at)
    _emit_offered(unit, referral, offer, therapist, sealed)


def _emit_offered(
    unit: UnitOfWork[Dependencies], referral: Referral, offer: Offer, therapist: Therapist, sealed: str
) -> None:
    assert referral.work is not None, "no search begins before the assessment"
    interpreted = therapist.needs_interpreter(referral.interpreter_language)
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
            interpreter_language=referral.interpreter_language if interpreted else None,
            sealed=sealed,
        )
    )


def why_nobody(
    unit: UnitOfWork[Dependencies], referral: Referral, excluded: set[TherapistId] | None = None
) -> StallReason:
    """Why no therapist can be asked now."""
    why = WhyNobody(referral, excluded=_excluded(unit, referral) if excluded is None else excluded)
    why.look_at(candidates.able(unit.session, referral))
    return why.reason


def _wait(unit: UnitOfWork[Dependencies], referral: Referral, excluded: set[TherapistId]) -> None:
    if referral.wait(waiting_for=why_nobody(unit, referral, excluded), at=unit.now) and not referral.stall_told:
        assert referral.waiting_since is not None, "it waits"
        unit.set_timer(STALLED, referral.id, max(_patience_ends(unit, referral.waiting_since), unit.now))


def _patience_ends(unit: UnitOfWork[Dependencies], since: datetime) -> datetime:
    return add_working_days(since, unit.dependencies.settings.stalled_after_working_days)
