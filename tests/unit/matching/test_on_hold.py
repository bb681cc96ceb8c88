"""What intake may say of a search under way: wait, go on, stop, it is wanted after all, the client is elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from contracts.events.intake import (
    ReferralAssessed,
    ReferralHeld,
    ReferralReopened,
    ReferralResumed,
    ReferralWithdrawn,
)
from contracts.events.matching import MatchingStalled, OfferWithdrawn, TherapistOffered
from contracts.vocabulary import (
    Competence,
    HoldReason,
    OfferWithdrawalReason,
    ReferralId,
    ReopeningReason,
    ResumptionReason,
    RiskLevel,
    Sessions,
    WithdrawalReason,
    Work,
)
from services.matching.handlers import events, lifecycle
from tests.unit.matching.conftest import LONDON, NEWPORT, TIMERS, Matching


def held(referral_id: ReferralId) -> ReferralHeld:
    return ReferralHeld(referral_id=referral_id, reason=HoldReason.CLIENT_NOT_READY)


def resumed(referral_id: ReferralId) -> ReferralResumed:
    return ReferralResumed(referral_id=referral_id, reason=ResumptionReason.CLIENT_READY)


def withdrawn(referral_id: ReferralId) -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=referral_id, reason=WithdrawalReason.DUPLICATE)


def reopened(referral_id: ReferralId) -> ReferralReopened:
    return ReferralReopened(referral_id=referral_id, reason=ReopeningReason.UNMERGED)


def assessed(referral_id: ReferralId) -> ReferralAssessed:
    return ReferralAssessed(
        referral_id=referral_id,
        assessed_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        risk_level=RiskLevel.LOWER,
        competence=Competence.LOWER,
        work=Work.INDIVIDUAL,
    )


def test_a_hold_takes_the_open_offer_back_and_nobody_is_asked_meanwhile(matching: Matching) -> None:
    first = matching.admit()
    referral_id = matching.search_for()
    assert matching.asked(referral_id) == first
    matching.hear(lifecycle.pause, held(referral_id))
    assert [one.reason for one in matching.emitted(OfferWithdrawn)] == [OfferWithdrawalReason.REFERRAL_ON_HOLD]
    matching.admit()
    assert (matching.asked(referral_id), matching.standing(referral_id).on_hold) == (None, True)


def test_a_resumed_referral_is_sought_for_at_once(matching: Matching) -> None:
    referral_id = matching.search_for()
    matching.hear(lifecycle.pause, held(referral_id))
    therapist_id = matching.admit()
    matching.hear(lifecycle.resume, resumed(referral_id))
    assert (matching.asked(referral_id), matching.standing(referral_id).on_hold) == (therapist_id, False)


def test_a_referral_on_hold_doesnt_count_as_waiting_for_long(matching: Matching) -> None:
    referral_id = matching.search_for()
    matching.hear(lifecycle.pause, held(referral_id))
    matching.clock.advance(timedelta(days=30))
    matching.fire_due(TIMERS)
    assert matching.emitted(MatchingStalled) == []
    matching.hear(lifecycle.resume, resumed(referral_id))
    matching.clock.advance(timedelta(days=30))
    matching.fire_due(TIMERS)
    assert len(matching.emitted(MatchingStalled)) == 1


def test_a_match_that_was_made_before_the_hold_arrived_stands(matching: Matching) -> None:
    matching.admit()
    referral_id = matching.search_for()
    matching.accept(referral_id)
    matching.hear(lifecycle.pause, held(referral_id))
    assert (matching.standing(referral_id).state, matching.standing(referral_id).on_hold) == ("matched", False)


def test_a_reopened_referral_waits_for_its_assessment_again(matching: Matching) -> None:
    therapist_id, referral_id = matching.admit(), matching.receive()
    matching.hear(lifecycle.stop_withdrawn, withdrawn(referral_id))
    matching.hear(lifecycle.reopen, reopened(referral_id))
    assert matching.standing(referral_id).state == "awaiting_assessment"
    matching.assess(referral_id)
    assert matching.asked(referral_id) == therapist_id


# From intake's second word on: held, resumed, withdrawn as a duplicate, reopened, and assessed at last.
SAID: list[tuple[int, Any, Any]] = [
    (2, lifecycle.pause, held),
    (3, lifecycle.resume, resumed),
    (4, lifecycle.stop_withdrawn, withdrawn),
    (5, lifecycle.reopen, reopened),
    (6, events.note_assessment, assessed),
]


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_the_newest_word_counts_in_any_order(matching: Matching, order: tuple[int, ...]) -> None:
    therapist_id, referral_id = matching.admit(), matching.receive()
    for place in order:
        sequence, handler, event = SAID[place]
        matching.hear(handler, event(referral_id), sequence=sequence)
    assert matching.asked(referral_id) == therapist_id
    assert len(matching.emitted(TherapistOffered)) == len(matching.emitted(OfferWithdrawn)) + 1


def test_who_is_nowhere_waits_until_a_person_has_found_the_place(matching: Matching) -> None:
    therapist_id = matching.admit(outward_code=NEWPORT)
    referral_id = matching.search_for(outward_code="ZZ99")
    assert matching.standing(referral_id).waiting_for == "nobody_near"
    matching.hear(events.note_referral, matching.received(referral_id, outward_code=NEWPORT))
    assert matching.asked(referral_id) == therapist_id


def test_who_is_nowhere_meets_online_if_they_would(matching: Matching) -> None:
    therapist_id = matching.admit(outward_code=LONDON, sessions=Sessions.EITHER)
    assert matching.asked(matching.search_for(outward_code="ZZ99", sessions=Sessions.EITHER)) == therapist_id


def test_an_older_word_on_the_place_is_dropped(matching: Matching) -> None:
    therapist_id = matching.admit(outward_code=NEWPORT)
    referral_id = matching.receive(outward_code=NEWPORT)
    matching.hear(events.note_referral, matching.received(referral_id, outward_code="ZZ99"), sequence=1)
    matching.assess(referral_id, competence=Competence.LOWER)
    assert matching.asked(referral_id) == therapist_id
