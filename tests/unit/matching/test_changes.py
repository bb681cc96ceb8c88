"""What can be put right: a therapist's e-mail, fee and languages, and a match that was ended by mistake."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from contracts.commands.matching import ChangeTherapist, UndoMatchEnd
from contracts.events.billing import SubsidyReleased
from contracts.events.intake import ReferralHeld, TherapyLanguage
from contracts.events.matching import (
    MatchEndUndone,
    OfferWithdrawn,
    TherapistContactChanged,
    TherapistFeeChanged,
    TherapistMatched,
)
from contracts.vocabulary import (
    AwardId,
    ChangeReason,
    FundId,
    HoldReason,
    MatchEndReason,
    MatchId,
    OfferWithdrawalReason,
    ReferralId,
    Sessions,
    SubsidyReleaseReason,
    TherapistId,
    UndoReason,
)
from services.matching import errors
from services.matching.handlers import commands, events, lifecycle
from services.matching.store import tables
from tests.unit.matching.conftest import POLISH_ONLY, Matching, approved
from tests.unit.matching.test_of_a_person import take_up_again, withdraw

SAM = "console:somebody"


def change(matching: Matching, therapist_id: TherapistId, **changes: Any) -> None:
    request = ChangeTherapist(therapist_id=therapist_id, reason=ChangeReason.THEY_SAID, **changes)
    matching.ask(commands.change_therapist, request)
    matching.run()


def on_record(matching: Matching) -> list[tuple[Any, ...]]:
    entries = matching.database.tables.audit_entry
    wanted = select(entries.c.what, entries.c.who, entries.c.subject_id, entries.c.reason)
    with matching.database.reading() as unit:
        return [tuple(row) for row in unit.session.execute(wanted)]


def test_a_new_address_is_passed_on_sealed_as_it_came(matching: Matching) -> None:
    therapist_id = matching.admit(contact="old.sealed")
    change(matching, therapist_id, contact="new.sealed")
    assert [one.sealed for one in matching.emitted(TherapistContactChanged)] == ["old.sealed", "new.sealed"]
    assert on_record(matching) == [("therapist_changed", SAM, therapist_id, "they_said")]


def test_a_new_fee_is_that_of_the_next_match_and_not_of_the_last(matching: Matching) -> None:
    therapist_id = matching.admit(places=2, session_fee_pence=60_00)
    matching.accept(matching.search_for())
    change(matching, therapist_id, session_fee_pence=70_00)
    matching.accept(matching.search_for())
    assert [one.session_fee_pence for one in matching.emitted(TherapistMatched)] == [60_00, 70_00]


def test_who_waits_is_asked_about_as_soon_as_the_therapist_suits_them(matching: Matching) -> None:
    therapist_id = matching.admit(places=2)
    poor, polish = matching.search_for(most_per_session=40_00), matching.search_for(therapy_languages=POLISH_ONLY)
    change(matching, therapist_id, session_fee_pence=40_00)
    assert (matching.asked(poor), matching.asked(polish)) == (therapist_id, None)
    change(matching, therapist_id, languages=("en", "pl"))
    assert matching.asked(polish) == therapist_id


UNFIT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "too dear": ({"session_fee_pence": 60_01}, {"most_per_session": 60_00}),
    "another language": (
        {"languages": ("cy",)}, {"therapy_languages": (TherapyLanguage(language="en", must=True),)},
    ),
    "no interpreters": ({"works_with_interpreters": False}, {"interpreter_language": "pl"}),
}  # fmt: skip


@pytest.mark.parametrize("what", UNFIT)
def test_an_open_offer_that_no_longer_suits_is_taken_back(matching: Matching, what: str) -> None:
    changed, client = UNFIT[what]
    therapist_id = matching.admit(works_with_interpreters=True)
    referral_id = matching.search_for(**client)
    change(matching, therapist_id, **changed)
    assert matching.asked(referral_id) is None
    assert [one.reason for one in matching.emitted(OfferWithdrawn)] == [OfferWithdrawalReason.NO_LONGER_SUITABLE]


def test_what_is_left_out_stays_and_an_offer_that_still_suits_is_left_alone(matching: Matching) -> None:
    therapist_id = matching.admit()
    referral_id = matching.search_for(most_per_session=60_00)
    change(matching, therapist_id, languages=("en", "cy"))
    assert matching.asked(referral_id) == therapist_id
    assert matching.emitted(OfferWithdrawn) == []


@pytest.mark.parametrize("ages", [{"young_from_years": 12, "young_to_years": 11}, {"young_to_years": 4}])
def test_ages_the_wrong_way_round_are_refused(matching: Matching, ages: dict[str, int]) -> None:
    therapist_id = matching.admit(young_from_years=5)
    with pytest.raises(errors.AgesTheWrongWayRound):
        change(matching, therapist_id, **ages)


def test_an_unknown_therapist_can_not_be_changed(matching: Matching) -> None:
    with pytest.raises(errors.UnknownTherapist):
        change(matching, TherapistId(matching.search_for()), session_fee_pence=1)


# Undoing the end of a match


def undo(matching: Matching, match_id: Any) -> bool:
    request = UndoMatchEnd(match_id=MatchId(match_id), reason=UndoReason.RECORDED_BY_MISTAKE)
    changed: bool = matching.ask(commands.undo_match_end, request).changed
    matching.run()
    return changed


def matched(matching: Matching) -> tuple[ReferralId, Any]:
    referral_id = matching.search_for()
    return referral_id, matching.accept(referral_id)


ENDS = (MatchEndReason.COMPLETED, MatchEndReason.NOT_ATTENDED, MatchEndReason.CLIENT_UNHAPPY)


@pytest.mark.parametrize("reason", ENDS)
def test_a_match_that_was_ended_by_mistake_goes_on(matching: Matching, reason: MatchEndReason) -> None:
    therapist_id = matching.admit()
    referral_id, match_id = matched(matching)
    matching.end(match_id, reason)
    assert undo(matching, match_id)
    standing = matching.standing(referral_id)
    assert (standing.state, standing.match_id, standing.therapist_id) == ("matched", match_id, therapist_id)
    assert (standing.waiting_since, standing.waiting_for) == (None, None)
    with matching.database.reading() as unit:
        assert [(row.ended_at, row.reason) for row in unit.session.execute(select(tables.matches))] == [(None, None)]
    assert [one.match_id for one in matching.emitted(MatchEndUndone)] == [match_id]
    assert on_record(matching) == [("match_end_undone", SAM, referral_id, "recorded_by_mistake")]
    assert matching.asked(matching.search_for()) is None, "the place is taken again"


def test_the_place_may_have_been_promised_to_another_who_keeps_it(matching: Matching) -> None:
    matching.admit()
    _, match_id = matched(matching)
    waiting = matching.search_for()
    matching.end(match_id, MatchEndReason.COMPLETED)
    assert undo(matching, match_id)
    matching.accept(waiting)
    assert matching.standing(waiting).state == "matched"


def test_it_can_end_again(matching: Matching) -> None:
    matching.admit()
    referral_id, match_id = matched(matching)
    for _ in range(2):
        matching.end(match_id, MatchEndReason.COMPLETED)
        assert undo(matching, match_id)
    assert not undo(matching, match_id), "it has not ended"
    assert matching.standing(referral_id).state == "matched"


def test_going_on_ends_a_pause_so_that_another_is_found_if_they_part_after_all(matching: Matching) -> None:
    matching.admit()
    referral_id, match_id = matched(matching)
    matching.end(match_id, MatchEndReason.CLIENT_UNHAPPY)
    matching.hear(lifecycle.pause, ReferralHeld(referral_id=referral_id, reason=HoldReason.CLIENT_NOT_READY))
    undo(matching, match_id)
    other = matching.admit()
    matching.end(match_id, MatchEndReason.CLIENT_UNHAPPY)
    assert matching.asked(referral_id) == other


def test_nobody_is_left_as_unhappy_whom_the_client_was_not(matching: Matching) -> None:
    therapist_id = matching.admit(places=2)
    referral_id, match_id = matched(matching)
    matching.end(match_id, MatchEndReason.CLIENT_UNHAPPY)
    undo(matching, match_id)
    matching.end(match_id, MatchEndReason.COMPLETED)
    again = take_up_again(matching, referral_id)
    matching.assess(again)
    assert matching.asked(again) == therapist_id


def test_once_another_therapist_has_been_asked_it_can_not_be_undone(matching: Matching) -> None:
    matching.admit()
    referral_id, match_id = matched(matching)
    matching.admit()
    matching.end(match_id, MatchEndReason.CLIENT_UNHAPPY)
    with pytest.raises(errors.CannotUndo, match=r"Another therapist has been asked since.*take it up again"):
        undo(matching, match_id)
    assert matching.standing(referral_id).state == "offered"


def test_nor_once_the_client_has_asked_again(matching: Matching) -> None:
    matching.admit()
    referral_id, match_id = matched(matching)
    matching.end(match_id, MatchEndReason.COMPLETED)
    take_up_again(matching, referral_id)
    with pytest.raises(errors.CannotUndo, match="go on with that newer request"):
        undo(matching, match_id)


def test_nor_is_a_withdrawal_undone_here(matching: Matching) -> None:
    matching.admit()
    referral_id, match_id = matched(matching)
    withdraw(matching, referral_id)
    with pytest.raises(errors.CannotUndo, match="at intake"):
        undo(matching, match_id)


def test_an_unknown_match_can_not_be_undone(matching: Matching) -> None:
    with pytest.raises(errors.UnknownMatch):
        undo(matching, matching.search_for())


def test_a_new_fee_is_said_and_the_same_one_is_not(matching: Matching) -> None:
    therapist_id = matching.admit(session_fee_pence=60_00)
    change(matching, therapist_id, session_fee_pence=60_00)
    assert matching.emitted(TherapistFeeChanged) == []
    change(matching, therapist_id, session_fee_pence=45_00)
    assert matching.emitted(TherapistFeeChanged) == [
        TherapistFeeChanged(therapist_id=therapist_id, session_fee_pence=45_00)
    ]


def test_the_last_match_is_known_once_it_has_ended(matching: Matching) -> None:
    matching.admit()
    referral_id = matching.search_for()
    assert matching.standing(referral_id).last_match_id is None
    match_id = matching.accept(referral_id)
    assert matching.standing(referral_id).last_match_id == match_id
    matching.end(match_id, MatchEndReason.COMPLETED)
    assert matching.standing(referral_id).last_match_id == match_id


def test_after_an_unhappy_parting_client_and_award_pay_the_next_one_together(matching: Matching) -> None:
    """The award was lowered to the fee of the therapist before, so the dearer one isn't asked."""
    first = matching.admit(session_fee_pence=45_00)
    referral_id = matching.search_for(subsidy_requested=True, fee_ceiling_pence=20_00, most_per_session=20_00)
    matching.hear(events.note_subsidy, approved(referral_id, 40_00))
    assert matching.asked(referral_id) == first
    match_id = matching.accept(referral_id)
    matching.hear(events.note_subsidy_released, lowered(referral_id, 25_00))
    matching.admit(session_fee_pence=50_00)
    matching.end(match_id, MatchEndReason.CLIENT_UNHAPPY)
    assert matching.asked(referral_id) is None
    within = matching.admit(session_fee_pence=45_00)
    assert matching.asked(referral_id) == within


def lowered(referral_id: ReferralId, pence_per_session: int) -> SubsidyReleased:
    return SubsidyReleased(
        award_id=AwardId(uuid4()),
        referral_id=referral_id,
        fund_id=FundId(uuid4()),
        released_pence=150_00,
        reason=SubsidyReleaseReason.FEE_LOWER_THAN_AWARDED,
        pence_per_session=pence_per_session,
    )


OTHERWISE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "further": ({"outward_code": "CF10", "max_distance_km": 2.0}, {"outward_code": "CF10", "max_distance_km": 60.0}),
    "in person too": ({"sessions": Sessions.ONLINE}, {"sessions": Sessions.EITHER}),
    "more a session": ({"fee_ceiling_pence": 20_00}, {"fee_ceiling_pence": 60_00}),
    "whatever it costs": ({"fee_ceiling_pence": 20_00}, {}),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_who_waits_is_sought_for_by_intake_s_newest_word(matching: Matching, what: str) -> None:
    before, since = OTHERWISE[what]
    therapist_id = matching.admit()
    referral_id = matching.search_for(**before)
    assert matching.asked(referral_id) is None
    matching.hear(events.note_referral, matching.received(referral_id, **since))
    assert matching.asked(referral_id) == therapist_id
