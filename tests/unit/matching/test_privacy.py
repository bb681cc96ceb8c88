"""What is left at matching of a referral that was erased."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from chassis.ports import NotYet
from contracts.events.billing import SubsidyApproved
from contracts.events.intake import ReferralClosed, ReferralErased
from contracts.events.matching import ErasureConfirmed, MatchEnded, OfferWithdrawn
from contracts.vocabulary import AwardId, ClosureReason, FundId, ReferralId, Sex
from services.matching.handlers import erasure, events, lifecycle
from services.matching.store import tables
from tests.unit.matching.conftest import NEWPORT, TIMERS, WELSH_ONLY, Matching


def erase(matching: Matching, referral_id: ReferralId) -> None:
    matching.hear(erasure.forget, ReferralErased(referral_id=referral_id))
    matching.fire_due(TIMERS)


def row(matching: Matching, referral_id: ReferralId) -> dict[str, Any]:
    """What is kept of a referral, besides how far others' words about it have been heard."""
    with matching.database.reading() as unit:
        found = unit.session.execute(select(tables.referrals).where(tables.referrals.c.id == referral_id)).one()
    return {name: value for name, value in found._mapping.items() if not name.endswith("_sequence")}


LEFT = {
    "latitude": None,
    "longitude": None,
    "language": "und",
    "max_distance_km": 0.0,
    "fee_ceiling_pence": None,
    "subsidy_pence_per_session": 0,
    "competence": None,
    "work": None,
    "therapist_sex": None,
    "wheelchair_access": False,
    "state": "erased",
    "match_id": None,
    "therapist_id": None,
    "under_18": False,
    "age_years": None,
    "therapist_sex_only": False,
    "required_languages": [],
    "preferred_languages": [],
    "interpreter_language": None,
    "most_per_session": None,
    "sought_at_release": False,
    "online_allowed": True,
    "waiting_needs": None,
}


def test_what_was_asked_and_from_where_is_forgotten(matching: Matching) -> None:
    matching.admit(wheelchair_access=True)
    referral_id = matching.search_for(
        fee_ceiling_pence=60_00,
        most_per_session=60_00,
        therapist_sex=Sex.FEMALE,
        therapist_sex_only=True,
        wheelchair_access=True,
        age_years=15,
        therapy_languages=WELSH_ONLY,
        interpreter_language="bfi",
        release_area=NEWPORT,
        online_allowed=False,
    )
    erase(matching, referral_id)
    assert LEFT.items() <= row(matching, referral_id).items()
    with matching.database.reading() as unit:
        assert not unit.session.execute(select(tables.offers)).all()
    assert matching.emitted(ErasureConfirmed) == [ErasureConfirmed(referral_id=referral_id)]


def test_an_open_offer_is_taken_back_and_its_place_goes_to_somebody_else(matching: Matching) -> None:
    therapist_id = matching.admit(places=1)
    referral_id, next_one = matching.search_for(), matching.search_for()
    erase(matching, referral_id)
    assert [one.referral_id for one in matching.emitted(OfferWithdrawn)] == [referral_id]
    assert matching.asked(next_one) == therapist_id


def test_which_therapist_was_matched_stays_for_those_who_must_not_be_sent_there(matching: Matching) -> None:
    matching.admit()
    referral_id = matching.search_for()
    match_id = matching.accept(referral_id)
    erase(matching, referral_id)
    assert [one.match_id for one in matching.emitted(MatchEnded)] == [match_id]
    with matching.database.reading() as unit:
        (match,) = unit.session.execute(select(tables.matches)).all()
    assert (match.id, match.referral_id) == (match_id, referral_id)


def test_what_comes_later_brings_nothing_back(matching: Matching) -> None:
    referral_id = matching.receive(subsidy_requested=True)
    erase(matching, referral_id)
    before = row(matching, referral_id)
    matching.admit()
    matching.hear(events.note_referral, matching.received(referral_id))
    matching.assess(referral_id)
    matching.hear(
        events.note_subsidy,
        SubsidyApproved(
            award_id=AwardId(uuid4()),
            fund_id=FundId(uuid4()),
            referral_id=referral_id,
            pence_per_session=30_00,
            sessions=10,
            committed_pence=300_00,
            approved_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
        ),
        sequence=9,
    )
    matching.hear(lifecycle.stop_closed, ReferralClosed(referral_id=referral_id, reason=ClosureReason.THERAPY_ENDED))
    erase(matching, referral_id)
    assert row(matching, referral_id) == before
    assert matching.asked(referral_id) is None
    assert len(matching.emitted(ErasureConfirmed)) == 2


def test_an_erasure_that_overtakes_the_request_waits_for_it(matching: Matching) -> None:
    with pytest.raises(NotYet):
        erase(matching, ReferralId(uuid4()))
