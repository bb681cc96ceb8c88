"""What intake tells of a referral so that a therapist can be sought, and what it hears of a match that goes on."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chassis.ids import new_id
from contracts.commands.intake import ReRefer, ReReferred, SignOff, Withdraw
from contracts.events.billing import FirstSessionAttended, SessionReversed
from contracts.events.intake import ReferralAssessed, ReferralReceived, ReferralReopened
from contracts.events.matching import MatchEndUndone, TherapistMatched
from contracts.sealed import Custody
from contracts.vocabulary import (
    ClientGroup,
    ContactPurpose,
    MatchEndReason,
    PersonId,
    ReferralId,
    ReopeningReason,
    ReReferralReason,
    SessionId,
    SessionReversalReason,
    UndoReason,
    WithdrawalReason,
)
from services.intake.domain.referral import SafeguardingLeadFirst
from services.intake.handlers import events, lifecycle
from tests.unit.intake.conftest import MONDAY_10, Intake

IN_PRISON = {
    "client_group": ClientGroup.IN_PRISON,
    "custody": Custody(release_on=date(2027, 3, 27), release_area="CF10 1EP"),
}
SAID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an age under 18": ({"age": 15}, {"age_years": 15}),
    "no age of an adult": ({"age": 18}, {"age_years": None}),
    "what they can pay": ({"fee_ceiling_pence": 40_00}, {"most_per_session": 40_00}),
    "the interpreter": ({"interpreter": "Polish, please"}, {"interpreter_language": "pl"}),
    "that it isn't known which": ({"interpreter": "Yes, I do"}, {"interpreter_language": "und"}),
    "no interpreter": ({"interpreter": " "}, {"interpreter_language": None}),
    "the release": (IN_PRISON, {"release_on": date(2027, 3, 27), "release_area": "CF10"}),
    "no town": (IN_PRISON | {"custody": Custody(release_area="Cardiff")}, {"release_on": None, "release_area": None}),
    "no release of who isn't inside": (
        {"custody": IN_PRISON["custody"]}, {"release_on": None, "release_area": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SAID)
def test_an_assessment_tells_the_search(intake: Intake, what: str) -> None:
    written, told = SAID[what]
    referral_id, _ = intake.ask_for_help(**written)
    if written.get("age", 18) < 18:
        intake.ask(lifecycle.sign_off, SignOff(referral_id=referral_id))
    intake.assess(referral_id)
    (assessed,) = intake.emitted(ReferralAssessed)
    assert {name: getattr(assessed, name) for name in told} == told


@pytest.mark.parametrize("group", [group for group in ClientGroup if group is not ClientGroup.YOUNG_PERSON])
def test_who_is_under_18_passes_the_safeguarding_lead_in_whichever_group(intake: Intake, group: ClientGroup) -> None:
    referral_id, _ = intake.ask_for_help(client_group=group, age=15)
    with pytest.raises(SafeguardingLeadFirst):
        intake.assess(referral_id)


def take_up_again(intake: Intake, referral_id: ReferralId) -> ReferralId:
    intake.ask(lifecycle.withdraw, Withdraw(referral_id=referral_id, reason=WithdrawalReason.CLIENT_ASKED))
    again = ReRefer(referral_id=referral_id, reason=ReReferralReason.CLIENT_ASKED)
    answer: ReReferred = intake.ask(lifecycle.re_refer, again)
    return answer.referral_id


def test_all_referrals_of_a_person_are_told_to_be_theirs(intake: Intake) -> None:
    first = intake.ask_for_help().referral_id
    third = take_up_again(intake, take_up_again(intake, first))
    intake.assess(third)
    assert {one.person_id for one in intake.emitted(ReferralReceived)} == {PersonId(first)}
    assert [one.person_id for one in intake.emitted(ReferralAssessed)] == [PersonId(first)]


def undone(match: TherapistMatched) -> MatchEndUndone:
    return MatchEndUndone(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        reason=UndoReason.RECORDED_BY_MISTAKE,
        undone_at=MONDAY_10,
    )


@pytest.mark.parametrize("reason", [MatchEndReason.COMPLETED, MatchEndReason.CLIENT_UNHAPPY])
def test_a_match_that_was_ended_by_mistake_goes_on(intake: Intake, reason: MatchEndReason) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = intake.match(referral_id)
    intake.end_match(match, reason)
    intake.hear(events.note_match_end_undone, undone(match))
    assert intake.state(reference) == "matched"
    assert intake.steps(referral_id)[-1] == ("go_on", "matched", "matching", "recorded_by_mistake")


def test_who_had_been_closed_can_be_written_to_again(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess()
    match = intake.match(referral_id)
    intake.end_match(match, MatchEndReason.COMPLETED)
    intake.hear(events.note_match_end_undone, undone(match))
    assert len(intake.released(ContactPurpose.ADDRESS_BOOK)) == 2


def test_an_older_end_does_not_end_it_again(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = intake.match(referral_id, sequence=1)
    intake.hear(events.note_match_end_undone, undone(match), sequence=3)
    intake.end_match(match, MatchEndReason.COMPLETED, sequence=2)
    assert intake.state(reference) == "matched"


def test_that_a_closed_referral_goes_on_is_said(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess()
    match = intake.match(referral_id)
    intake.end_match(match, MatchEndReason.COMPLETED)
    intake.hear(events.note_match_end_undone, undone(match))
    assert intake.emitted(ReferralReopened) == [
        ReferralReopened(referral_id=referral_id, reason=ReopeningReason.MATCH_GOES_ON)
    ]


def reversed_session(match: TherapistMatched, *, sessions: int) -> SessionReversed:
    return SessionReversed(
        session_id=SessionId(new_id()),
        referral_id=match.referral_id,
        match_id=match.match_id,
        therapist_id=match.therapist_id,
        attended_on=MONDAY_10.date(),
        sessions=sessions,
        drawn_pence=0,
        reason=SessionReversalReason.WRONG_REFERRAL,
    )


def attended(match: TherapistMatched) -> FirstSessionAttended:
    ids = {"referral_id": match.referral_id, "match_id": match.match_id, "therapist_id": match.therapist_id}
    return FirstSessionAttended(**ids, attended_on=MONDAY_10.date())


def test_a_first_session_that_was_none_leaves_them_matched(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = intake.match(referral_id)
    intake.hear(events.note_first_session, attended(match), sequence=1)
    intake.hear(events.note_session_reversed, reversed_session(match, sessions=1), sequence=2)
    assert intake.state(reference) == "first_session_attended", "another one is on record"
    intake.hear(events.note_session_reversed, reversed_session(match, sessions=0), sequence=3)
    assert intake.steps(referral_id)[-1] == ("not_begun", "matched", "billing", "wrong_referral")
    intake.hear(events.note_first_session, attended(match), sequence=1)
    assert intake.state(reference) == "matched", "that is no news"
    intake.hear(events.note_first_session, attended(match), sequence=4)
    assert intake.state(reference) == "first_session_attended"


def test_of_a_first_session_only_billing_s_newest_word_counts(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = intake.match(referral_id)
    intake.hear(events.note_session_reversed, reversed_session(match, sessions=0), sequence=2)
    intake.hear(events.note_first_session, attended(match), sequence=1)
    assert intake.state(reference) == "matched"
