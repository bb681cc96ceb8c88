from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contracts.vocabulary import OfferId, ReferralId, Sessions, TherapistId
from services.matching.domain.offer import Offer, OfferNoLongerOpen, OfferState

OFFERED = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DEADLINE = OFFERED + timedelta(days=2)


@pytest.fixture
def offer() -> Offer:
    return Offer(
        id=OfferId(uuid4()),
        referral_id=ReferralId(uuid4()),
        therapist_id=TherapistId(uuid4()),
        offered_at=OFFERED,
        expires_at=DEADLINE,
        distance_km=3.5,
        sessions=Sessions.IN_PERSON,
    )


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("late", [timedelta(0), timedelta(microseconds=1), timedelta(days=30)])
def test_no_answer_is_taken_from_the_deadline_on_though_no_timer_has_fired(
    offer: Offer, late: timedelta, accepted: bool
) -> None:
    assert offer.is_open
    with pytest.raises(OfferNoLongerOpen, match="it was expired"):
        offer.answer(therapist_id=offer.therapist_id, accepted=accepted, at=DEADLINE + late)
    assert offer.is_open, "it is for the timer to expire it, which asks the next therapist"


@pytest.mark.parametrize("fired", [True, False])
def test_a_late_answer_is_refused_in_the_same_words_before_and_after_the_timer(offer: Offer, fired: bool) -> None:
    if fired:
        offer.expire()
    with pytest.raises(OfferNoLongerOpen, match=r"^This offer is no longer open: it was expired\.$"):
        offer.answer(therapist_id=offer.therapist_id, accepted=True, at=DEADLINE)


@pytest.mark.parametrize(("accepted", "state"), [(True, OfferState.ACCEPTED), (False, OfferState.DECLINED)])
def test_an_answer_in_the_last_moment_counts(offer: Offer, accepted: bool, state: OfferState) -> None:
    offer.answer(therapist_id=offer.therapist_id, accepted=accepted, at=DEADLINE - timedelta(microseconds=1))
    assert offer.state is state
