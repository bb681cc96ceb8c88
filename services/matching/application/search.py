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


def seek(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Asks the next best therapist, or puts the referral on the waiting list; nobody while it is on hold."""
    if referral.state is not State.WAITING or referral.is_paused:
        return
    excluded = _not_to_be_asked(unit, referral)
    for found in _candidates(unit, referral, excluded):
        # Another replica may have filled the last place meanwhile, so it is read again under a lock.
        therapist = therapists.find_therapist(unit.session, found.therapist.id)
        if therapist is not None and candidate(referral, therapist, excluded=excluded):
            _offer(unit, referral, found)
            return
    _wait(unit, referral, excluded)


def look_again(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Something about the client is otherwise: an open offer that no longer suits is taken back, and another sought."""
    offer = offers.open_offer_of(unit.session, referral.id) if referral.state is State.OFFERED else None
    if offer is not None:
        _take_back_unless_suitable(unit, offer, referral)
    seek(unit, referral)


def look_again_at_offers(unit: UnitOfWork[Dependencies], therapist: Therapist) -> None:
    """Something about the therapist is otherwise: as `look_again`, for everybody about whom they are asked."""
    for offer in offers.open_offers(unit.session, therapist.id):
        referral = referrals.find_referral(unit.session, offer.referral_id)
        if referral is not None and _take_back_unless_suitable(unit, offer, referral):
            seek(unit, referral)


def keep_apart(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    """Takes open offers back from therapists whom somebody linked to the client has, and asks others."""
    for id_ in sorted(referrals.all_of_person(unit.session, referral_id)):
        referral = referrals.find_referral(unit.session, id_)
        offer = offers.open_offer_of(unit.session, id_)
        if referral is None or offer is None:
            continue
        if offer.therapist_id in _never_to_be_asked(unit, referral) and _take_back(
            unit, offer, referral, OfferWithdrawalReason.REFERRALS_LINKED
        ):
            seek(unit, referral)


def _take_back(unit: UnitOfWork[Dependencies], offer: Offer, referral: Referral, reason: OfferWithdrawalReason) -> bool:
    withdraw_offer(unit, offer, reason)
    referral.seek_on()
    return True


def _take_back_unless_suitable(unit: UnitOfWork[Dependencies], offer: Offer, referral: Referral) -> bool:
    """False if the offer still suits."""
    therapist = therapists.find_therapist(unit.session, offer.therapist_id)
    if therapist is not None and still_suits(therapist, referral, sessions=offer.sessions):
        return False
    return _take_back(unit, offer, referral, OfferWithdrawalReason.NO_LONGER_SUITABLE)


def _not_to_be_asked(unit: UnitOfWork[Dependencies], referral: Referral) -> set[TherapistId]:
    """Who was asked before, and who is never to be."""
    never = _never_to_be_asked(unit, referral)
    return never | offers.already_asked(unit.session, referral.id)


def _never_to_be_asked(unit: UnitOfWork[Dependencies], referral: Referral) -> set[TherapistId]:
    """Whom the client left as unhappy, and the therapists of those whom intake keeps apart from them.

    Both belong to the person: it doesn't matter of which of their referrals it was said.
    """
    unit.session.flush()
    own = referrals.all_of_person(unit.session, referral.id)
    # Whom they left in this referral they were asked about in it; so only of others there is more to know.
    never = matches.left_unhappy(unit.session, own) if len(own) > 1 else set()
    apart: set[ReferralId] = set()
    for kind, linked_id in links.linked_to(unit.session, own):
        for id_ in referrals.all_of_person(unit.session, linked_id):
            other = referrals.read_referral(unit.session, id_)
            if other is not None and not may_share_a_therapist(referral, other, kind=kind):
                apart.add(id_)
    return never | links.therapists_of(unit.session, apart - own) if apart else never


def _candidates(unit: UnitOfWork[Dependencies], referral: Referral, excluded: set[TherapistId]) -> Iterator[Candidate]:
    """The best first. Those who meet online are looked for only when nobody who meets in person is all they wish."""
    order = unit.dependencies.settings.order
    near: Iterator[Candidate] = iter(())
    if referral.would_meet_in_person:
        therapists = candidates.with_room_near(unit.session, referral, order)
        near = _who_meet(Sessions.IN_PERSON, therapists, referral, excluded)
    for found in near:
        if found.unmet or found.therapist.asked_last:
            near = chain([found], near)
            break
        yield found
    if referral.would_meet_online:
        therapists = candidates.with_room_online(unit.session, referral, order)
        online = _who_meet(Sessions.ONLINE, therapists, referral, excluded)
        yield from heapq.merge(near, online, key=lambda one: one.rank(order))
    else:
        yield from near


def _who_meet(
    sessions: Sessions, therapists: Iterator[Therapist], referral: Referral, excluded: set[TherapistId]
) -> Iterator[Candidate]:
    found = (candidate(referral, one, excluded=excluded) for one in therapists)
    return (one for one in found if one is not None and one.sessions is sessions)


def _offer(unit: UnitOfWork[Dependencies], referral: Referral, candidate: Candidate) -> None:
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
    therapist.offer(at=unit.now)
    referral.offered(at=unit.now)
    token = new_token()
    offer.token_hash = hash_of(token)
    sealed = unit.dependencies.keyring.seal("notifications", LinkSecret(token=token))
    unit.cancel_timer(STALLED, referral.id)
    unit.session.add(offer)
    unit.set_timer(EXPIRE_OFFER, offer.id, offer.expires_at)
    _tell(unit, referral, offer, therapist, sealed)


def _tell(unit: UnitOfWork[Dependencies], referral: Referral, offer: Offer, therapist: Therapist, sealed: str) -> None:
    assert referral.work is not None, "nobody is sought before the assessment"
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
    """The condition that leaves nobody now."""
    why = WhyNobody(referral, excluded=_not_to_be_asked(unit, referral) if excluded is None else excluded)
    why.look_at(candidates.able(unit.session, referral))
    return why.reason


def _wait(unit: UnitOfWork[Dependencies], referral: Referral, excluded: set[TherapistId]) -> None:
    if referral.must_wait(waiting_for=why_nobody(unit, referral, excluded), at=unit.now) and not referral.stall_told:
        assert referral.waiting_since is not None, "it waits"
        unit.set_timer(STALLED, referral.id, max(_patience_ends(unit, referral.waiting_since), unit.now))


def _patience_ends(unit: UnitOfWork[Dependencies], since: datetime) -> datetime:
    return add_working_days(since, unit.dependencies.settings.stalled_after_working_days)
