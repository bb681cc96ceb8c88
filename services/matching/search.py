"""Searching: who is asked next, and what happens when nobody can be."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import chain

from chassis.ports import UnitOfWork
from chassis.privacy.one_time_links import hash_of, new_token
from chassis.workdays import add_working_days
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
    OfferWithdrawn,
    TherapistMatched,
    TherapistNotAnswering,
    TherapistOffered,
)
from contracts.london import LONDON
from contracts.sealed import LinkSecret
from contracts.vocabulary import (
    MatchEndReason,
    MatchId,
    OfferId,
    OfferWithdrawalReason,
    ReferralId,
    Sessions,
    StallReason,
    TherapistId,
    UndoReason,
)
from services.matching import search_store, store
from services.matching.dependencies import Dependencies
from services.matching.domain.links import may_share_a_therapist
from services.matching.domain.offer import Match, Offer
from services.matching.domain.referral import Referral, State
from services.matching.domain.suitability import Candidate, WhyNobody, candidate, still_suits
from services.matching.domain.therapist import Therapist

EXPIRE_OFFER, STALLED, SERVE_WAITING_LIST = "expire_offer", "stalled", "serve_waiting_list"
COME_BACK, RELEASED = "come_back", "released"
"""The names of matching's timers."""

TRIED_AT_ONCE = 16
"""Referrals that one unit of work tries for a therapist with room: some milliseconds, in which all else waits."""


def seek(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Asks the next best therapist, or puts the referral on the waiting list; nobody while it is on hold."""
    if referral.state is not State.WAITING or referral.is_paused:
        return
    excluded = _not_to_be_asked(unit, referral)
    for found in _candidates(unit, referral, excluded):
        # Another replica may have filled the last place meanwhile, so it is read again under a lock.
        therapist = store.find_therapist(unit.session, found.therapist.id)
        if therapist is not None and candidate(referral, therapist, excluded=excluded):
            _offer(unit, referral, found)
            return
    _wait(unit, referral, excluded)


def look_again(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Something about the client is otherwise: an open offer that no longer suits is taken back, and another sought."""
    offer = store.open_offer_of(unit.session, referral.id) if referral.state is State.OFFERED else None
    if offer is not None:
        _take_back_unless_suitable(unit, offer, referral)
    seek(unit, referral)


def look_again_at_offers(unit: UnitOfWork[Dependencies], therapist: Therapist) -> None:
    """Something about the therapist is otherwise: as `look_again`, for everybody about whom they are asked."""
    for offer in store.open_offers(unit.session, therapist.id):
        referral = store.find_referral(unit.session, offer.referral_id)
        if referral is not None and _take_back_unless_suitable(unit, offer, referral):
            seek(unit, referral)


def open_to_waiting_list(unit: UnitOfWork[Dependencies], therapist: Therapist) -> None:
    """Has the waiting list tried soon for a therapist who has room."""
    if therapist.can_be_asked:
        search_store.open_to_waiting_list(unit.session, therapist.id, unit.now)
        unit.set_timer(SERVE_WAITING_LIST, "all", unit.now)


def serve_one_opening(unit: UnitOfWork[Dependencies]) -> None:
    """Tries those whom one therapist may suit, the longest waiting first, and leaves the rest to the next unit.

    Each gets the best therapist there is for them, who need not be this one.
    """
    openings = search_store.next_openings(unit.session, limit=2)
    if not openings:
        return
    opening, *others = openings
    therapist = store.read_therapist(unit.session, opening.therapist_id)
    tried = _try_waiting_list(unit, therapist, opening.after) if therapist is not None else []
    if len(tried) == TRIED_AT_ONCE:
        search_store.go_on_after(unit.session, opening, tried[-1])
    else:
        search_store.close_opening(unit.session, opening)
    if others or len(tried) == TRIED_AT_ONCE:
        unit.set_timer(SERVE_WAITING_LIST, "all", unit.now)


def _try_waiting_list(
    unit: UnitOfWork[Dependencies], therapist: Therapist, after: search_store.Place
) -> list[search_store.Place]:
    """The places on the list that were tried, until the therapist has no room."""
    if not therapist.can_be_asked:
        return []
    tried = []
    for place in search_store.waiting_for(unit.session, therapist, after=after, limit=TRIED_AT_ONCE):
        if not therapist.can_be_asked:
            return []
        tried.append(place)
        referral = store.find_referral(unit.session, ReferralId(place[1]))
        if referral is not None:
            seek(unit, referral)
    return tried


def withdraw_offer(unit: UnitOfWork[Dependencies], offer: Offer, reason: OfferWithdrawalReason) -> None:
    """Takes an open offer back."""
    if not offer.withdraw():
        return
    release_place(unit, offer)
    unit.emit(
        OfferWithdrawn(offer_id=offer.id, referral_id=offer.referral_id, therapist_id=offer.therapist_id, reason=reason)
    )


def release_place(unit: UnitOfWork[Dependencies], offer: Offer, *, keeps_room: bool = True) -> None:
    """An offer came to nothing: the place that it held is free again, unless they say that they have no room."""
    unit.cancel_timer(EXPIRE_OFFER, offer.id)
    therapist = store.find_therapist(unit.session, offer.therapist_id)
    if therapist is not None:
        therapist.free_held_place()
        if not keeps_room:
            therapist.has_no_room()
        open_to_waiting_list(unit, therapist)


def match(unit: UnitOfWork[Dependencies], referral: Referral, offer: Offer, therapist: Therapist) -> MatchId:
    """The therapist accepted."""
    id_ = MatchId(unit.new_id())
    therapist.answered()
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


def end_match(unit: UnitOfWork[Dependencies], match: Match, reason: MatchEndReason) -> bool:
    """Client and therapist part. False if they had parted before."""
    if not match.end(reason=reason, at=unit.now):
        return False
    therapist = store.find_therapist(unit.session, match.therapist_id)
    if therapist is not None:
        therapist.empty_place()
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
    """They had not parted; whoever calls this knows that nobody else has been asked since."""
    match.undo_end()
    therapist = store.find_therapist(unit.session, match.therapist_id)
    if therapist is not None:
        therapist.refill_place()
    unit.cancel_timer(STALLED, referral.id)
    referral.matched(match_id=match.id, therapist_id=match.therapist_id)
    unit.emit(
        MatchEndUndone(
            match_id=match.id,
            referral_id=match.referral_id,
            therapist_id=match.therapist_id,
            reason=reason,
            undone_at=unit.now,
        )
    )


def leave_unanswered(unit: UnitOfWork[Dependencies], offer: Offer) -> None:
    """An offer expired. After some in a row a person is told, and the therapist is asked last."""
    therapist = store.find_therapist(unit.session, offer.therapist_id)
    if therapist is not None and therapist.left_unanswered(at_most=unit.dependencies.settings.unanswered_offers):
        unit.emit(TherapistNotAnswering(therapist_id=therapist.id, offers_expired=therapist.expired_in_a_row))


def send_away(unit: UnitOfWork[Dependencies], therapist: Therapist, until: date) -> None:
    """They are asked nothing before that day in London. Offers that are open stay so."""
    therapist.leave(until=until)
    unit.set_timer(COME_BACK, therapist.id, beginning_of(until))


def heed_concerns(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    """Holds back, or goes on with, every search for a person about whom there may be an open concern."""
    if not unit.dependencies.settings.hold_for_concerns:
        return
    unit.session.flush()
    everything = store.all_of_person(unit.session, referral_id)
    is_open = store.has_open_concern(unit.session, everything)
    for id_ in sorted(everything):
        referral = store.find_referral(unit.session, id_)
        if referral is None or referral.concern_open == is_open:
            continue
        referral.heed_concern(is_open=is_open, at=unit.now)
        if is_open:
            _take_back_while_on_hold(unit, referral)
        else:
            seek(unit, referral)


def beginning_of(day: date) -> datetime:
    """The first moment of a day in London."""
    return datetime.combine(day, time.min, LONDON).astimezone(UTC)


def stop(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
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


def hold(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Nobody is sought for now, and nobody has to answer. Therapy that has begun goes on."""
    referral.hold(at=unit.now)
    _take_back_while_on_hold(unit, referral)


def _take_back_while_on_hold(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    unit.cancel_timer(STALLED, referral.id)
    offer = store.open_offer_of(unit.session, referral.id)
    if offer is not None:
        withdraw_offer(unit, offer, OfferWithdrawalReason.REFERRAL_ON_HOLD)


def keep_apart(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    """Takes open offers back from therapists whom somebody linked to the client has, and asks others."""
    for id_ in sorted(store.all_of_person(unit.session, referral_id)):
        referral = store.find_referral(unit.session, id_)
        offer = store.open_offer_of(unit.session, id_)
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
    therapist = store.find_therapist(unit.session, offer.therapist_id)
    if therapist is not None and still_suits(therapist, referral, sessions=offer.sessions):
        return False
    return _take_back(unit, offer, referral, OfferWithdrawalReason.NO_LONGER_SUITABLE)


def _not_to_be_asked(unit: UnitOfWork[Dependencies], referral: Referral) -> set[TherapistId]:
    """Who was asked before, and who is never to be."""
    never = _never_to_be_asked(unit, referral)
    return never | store.already_asked(unit.session, referral.id)


def _never_to_be_asked(unit: UnitOfWork[Dependencies], referral: Referral) -> set[TherapistId]:
    """Whom the client left as unhappy, and the therapists of those whom intake keeps apart from them.

    Both belong to the person: it doesn't matter of which of their referrals it was said.
    """
    unit.session.flush()
    own = store.all_of_person(unit.session, referral.id)
    # Whom they left in this referral they were asked about in it; so only of others there is more to know.
    never = store.left_unhappy(unit.session, own) if len(own) > 1 else set()
    apart: set[ReferralId] = set()
    for kind, linked_id in store.linked_to(unit.session, own):
        for id_ in store.all_of_person(unit.session, linked_id):
            other = store.read_referral(unit.session, id_)
            if other is not None and not may_share_a_therapist(referral, other, kind=kind):
                apart.add(id_)
    return never | store.therapists_of(unit.session, apart - own) if apart else never


def _candidates(unit: UnitOfWork[Dependencies], referral: Referral, excluded: set[TherapistId]) -> Iterator[Candidate]:
    """The best first. Those who meet online are looked for only when nobody who meets in person is all they wish."""
    order = unit.dependencies.settings.order
    near: Iterator[Candidate] = iter(())
    if referral.would_meet_in_person:
        therapists = search_store.with_room_near(unit.session, referral, order)
        near = _who_meet(Sessions.IN_PERSON, therapists, referral, excluded)
    for found in near:
        if found.unmet or found.therapist.asked_last:
            near = chain([found], near)
            break
        yield found
    if referral.would_meet_online:
        therapists = search_store.with_room_online(unit.session, referral, order)
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
    why.look_at(search_store.able(unit.session, referral))
    return why.reason


def _wait(unit: UnitOfWork[Dependencies], referral: Referral, excluded: set[TherapistId]) -> None:
    if referral.must_wait(waiting_for=why_nobody(unit, referral, excluded), at=unit.now) and not referral.stall_told:
        assert referral.waiting_since is not None, "it waits"
        unit.set_timer(STALLED, referral.id, max(_patience_ends(unit, referral.waiting_since), unit.now))


def _patience_ends(unit: UnitOfWork[Dependencies], since: datetime) -> datetime:
    return add_working_days(since, unit.dependencies.settings.stalled_after_working_days)
