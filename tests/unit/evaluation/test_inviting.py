"""Who is asked for which form, and when."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chassis.ids import new_id
from chassis.ports import NotYet
from chassis.testing import DueTimer
from contracts.events.evaluation import EvaluationInvitationCancelled, EvaluationInvited
from contracts.events.intake import ReferralReopened, ReferralWithdrawn
from contracts.events.matching import TherapistMatched
from contracts.vocabulary import (
    AgeBand,
    InvitationId,
    MatchEndReason,
    MatchId,
    ReferralId,
    ReopeningReason,
    Respondent,
    Stage,
    TherapistId,
    WithdrawalReason,
)
from services.evaluation.domain.invitations import Invitation, NotOpen, State
from services.evaluation.handlers import events, timers
from tests.unit.evaluation.conftest import CALM, MONDAY_10, Study, ended, matched, received, undone, withdrawn

CLIENT, THERAPIST = Respondent.CLIENT, Respondent.THERAPIST


def test_both_are_asked_as_the_work_begins(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    assert study.asked() == [(Stage.START, CLIENT), (Stage.START, THERAPIST)]
    client, therapist = sorted(study.bench.emitted(EvaluationInvited), key=lambda event: event.respondent)
    assert (client.instrument, therapist.instrument) == ("core-10", "therapist-view")
    assert client.therapist_id == match.therapist_id


def test_a_client_who_did_not_agree_is_not_asked(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id, consented=False)
    study.match(referral_id)
    assert study.asked() == [(Stage.START, THERAPIST)]


def test_a_client_is_not_asked_by_an_instrument_made_for_others(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id, age_band=AgeBand.UNDER_18)
    study.match(referral_id)
    assert study.asked() == [(Stage.START, THERAPIST)]


def test_a_match_waits_until_it_is_known_whether_the_client_agreed(study: Study, referral_id: ReferralId) -> None:
    event = matched(referral_id)
    with pytest.raises(NotYet):
        study.bench.hear(events.ask_at_start, event)
    study.receive(referral_id)
    study.bench.hear(events.ask_at_start, event)
    assert len(study.asked()) == 2


def test_an_end_waits_for_its_match(study: Study, referral_id: ReferralId) -> None:
    with pytest.raises(NotYet):
        study.bench.hear(events.ask_at_end, ended(matched(referral_id)))


def test_both_are_asked_again_after_six_weeks(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    study.match(referral_id)
    study.pass_time(weeks=6, seconds=-1)
    assert len(study.asked()) == 2
    study.pass_time(seconds=1)
    assert study.asked()[:2] == [(Stage.REVIEW, CLIENT), (Stage.REVIEW, THERAPIST)]


def test_both_are_asked_at_the_end_and_half_a_year_later(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.end(match)
    assert (Stage.END, CLIENT) in study.asked()
    assert (Stage.END, THERAPIST) in study.asked()
    study.pass_time(weeks=26, seconds=-1)
    assert (Stage.FOLLOW_UP, CLIENT) not in study.asked()
    study.pass_time(seconds=1)
    assert (Stage.FOLLOW_UP, CLIENT) in study.asked()
    assert (Stage.FOLLOW_UP, THERAPIST) in study.asked()


def test_there_is_no_review_of_work_that_has_ended(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    study.end(study.match(referral_id))
    study.pass_time(weeks=7)
    assert (Stage.REVIEW, CLIENT) not in study.asked()


@pytest.mark.parametrize("reason", [MatchEndReason.WITHDRAWN, MatchEndReason.NOT_ATTENDED])
def test_nobody_is_asked_about_work_that_never_began(
    study: Study, referral_id: ReferralId, reason: MatchEndReason
) -> None:
    study.receive(referral_id)
    study.end(study.match(referral_id), reason)
    study.pass_time(weeks=60)
    assert study.asked() == [(Stage.START, CLIENT), (Stage.START, THERAPIST)]
    assert set(study.states(referral_id).values()) == {"cancelled"}


def test_a_client_who_was_unhappy_is_asked_about_each_therapist_but_followed_up_on_the_last(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id)
    first = study.match(referral_id)
    study.pass_time(weeks=1)
    study.end(first, MatchEndReason.CLIENT_UNHAPPY)
    study.pass_time(weeks=1)
    second = study.match(referral_id)
    study.pass_time(weeks=2)
    study.end(second)
    study.pass_time(weeks=60)
    follow_ups = [view.match_id for view in study.invitations(referral_id) if view.stage is Stage.FOLLOW_UP]
    assert follow_ups == [second.match_id, second.match_id]
    assert study.asked().count((Stage.START, CLIENT)) == 2
    assert study.asked().count((Stage.END, CLIENT)) == 2


def test_a_withdrawal_takes_every_open_invitation_back_and_asks_for_no_more(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.withdraw(referral_id)
    assert set(study.states(referral_id).values()) == {"cancelled"}
    study.end(match)
    study.pass_time(weeks=60)
    assert len(study.asked()) == 2


def test_a_referral_that_was_a_duplicate_for_a_while_is_asked_like_any_other(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id)
    duplicate = ReferralWithdrawn(referral_id=referral_id, reason=WithdrawalReason.DUPLICATE)
    study.bench.hear(events.stop_withdrawn, duplicate)
    study.match(referral_id)
    assert len(study.asked()) == 2


def test_a_referral_that_was_withdrawn_before_its_match_is_known_is_asked_nothing(
    study: Study, referral_id: ReferralId
) -> None:
    study.withdraw(referral_id)
    match = study.match(referral_id)
    study.receive(referral_id)
    study.end(match)
    study.pass_time(weeks=60)
    assert study.asked() == []


def test_a_referral_that_was_withdrawn_by_mistake_is_asked_like_any_other(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id)
    study.withdraw(referral_id)
    reopened = ReferralReopened(referral_id=referral_id, reason=ReopeningReason.ENDED_BY_MISTAKE)
    study.bench.hear(events.note_reopened, reopened)
    study.match(referral_id)
    assert len(study.asked()) == 2


def test_a_withdrawal_that_comes_after_it_was_undone_stops_nothing(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    reopened = ReferralReopened(referral_id=referral_id, reason=ReopeningReason.ENDED_BY_MISTAKE)
    study.bench.hear(events.note_reopened, reopened, sequence=9)
    study.bench.hear(events.stop_withdrawn, withdrawn(referral_id), sequence=8)
    study.match(referral_id)
    assert len(study.asked()) == 2


def test_whoever_agrees_later_is_asked_from_then_on_and_who_takes_it_back_is_not(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id, consented=False)
    match = study.match(referral_id)
    assert study.asked() == [(Stage.START, THERAPIST)]
    study.receive(referral_id)
    study.pass_time(weeks=6)
    assert study.asked().count((Stage.REVIEW, CLIENT)) == 1
    study.receive(referral_id, consented=False)
    (cancelled,) = study.bench.emitted(EvaluationInvitationCancelled)
    assert (cancelled.respondent, cancelled.stage) == (CLIENT, Stage.REVIEW)
    study.end(match)
    assert study.asked().count((Stage.END, CLIENT)) == 0


def test_the_same_fact_twice_asks_once(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    for _ in range(2):
        study.bench.hear(events.ask_at_start, match)
        study.end(match)
        study.receive(referral_id, consented=False)
        study.withdraw(referral_id)
    assert len(study.asked()) == 4


def test_an_older_word_on_a_referral_changes_nothing(study: Study, referral_id: ReferralId) -> None:
    study.bench.hear(events.note_referral, received(referral_id), sequence=5)
    study.bench.hear(events.note_referral, received(referral_id, consented=False), sequence=4)
    study.match(referral_id)
    assert (Stage.START, CLIENT) in study.asked()


def test_a_match_ends_once(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.end(match)
    study.end(match, MatchEndReason.NOT_ATTENDED)
    assert set(study.states(referral_id).values()) == {"open"}
    study.pass_time(weeks=27)
    study.bench.hear(events.ask_at_end, ended(match))
    study.bench.fire_due({"chase": timers.chase})  # and nothing else is due


def test_no_time_is_set_any_more_for_a_review_of_work_that_has_ended(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    study.end(study.match(referral_id))
    study.bench.clock.advance(timedelta(weeks=7))
    study.bench.fire_due({"chase": timers.chase})  # and nothing else is due


def fire(study: Study, match: TherapistMatched) -> None:
    """The timer comes due at the very moment at which something else happens."""
    with study.bench.database.unit() as unit:
        timers.invite_to_review(unit, DueTimer(str(match.match_id), study.bench.clock.now(), {}))


def test_a_review_that_comes_due_twice_is_asked_for_once(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    fire(study, match)
    fire(study, match)
    assert len(study.invitations(referral_id)) == 4


def test_a_review_that_comes_due_as_the_work_ends_is_not_asked_for(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.end(match)
    fire(study, match)
    assert (Stage.REVIEW, CLIENT) not in study.states(referral_id)


def test_a_review_that_comes_due_as_the_client_withdraws_is_not_asked_for(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.withdraw(referral_id)
    fire(study, match)
    assert set(study.states(referral_id).values()) == {"cancelled"}


def test_an_answer_that_was_given_stands() -> None:
    invitation = Invitation(
        id=InvitationId(new_id()),
        match_id=MatchId(new_id()),
        referral_id=ReferralId(new_id()),
        therapist_id=TherapistId(new_id()),
        respondent=CLIENT,
        stage=Stage.START,
        instrument="core-10",
        instrument_version=1,
        token_hash=b"",
        invited_at=MONDAY_10,
    )
    invitation.answer(at=MONDAY_10)
    invitation.cancel(at=MONDAY_10)
    assert invitation.state is State.RETURNED
    with pytest.raises(NotOpen, match="returned"):
        invitation.answer(at=MONDAY_10)


def test_a_service_that_was_down_for_months_asks_for_the_review_when_it_is_back(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id)
    event = matched(referral_id, at=MONDAY_10 - timedelta(weeks=8))
    study.bench.hear(events.ask_at_start, event)
    study.pass_time()
    assert (Stage.REVIEW, CLIENT) in study.asked()


def test_every_link_has_a_secret_of_its_own_that_only_notifications_can_read(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id)
    study.match(referral_id)
    secrets = {study.token(Stage.START, respondent) for respondent in Respondent}
    assert len(secrets) == 2
    assert all(len(secret) == 22 for secret in secrets)


def test_the_database_holds_no_secret(study: Study, referral_id: ReferralId, database_file: Path) -> None:
    study.receive(referral_id)
    study.match(referral_id, TherapistId(new_id()))
    files = [path.read_bytes() for path in database_file.parent.glob("evaluation.db*")]
    assert any(referral_id.hex.encode() in content for content in files)
    for respondent in Respondent:
        token = study.token(Stage.START, respondent)
        assert not any(token.encode() in content for content in files)


def take_the_end_back(study: Study, match: TherapistMatched) -> None:
    study.pass_time(hours=1)
    study.bench.hear(events.note_end_undone, undone(match, at=study.bench.clock.now()))


def test_forms_of_an_end_that_was_none_are_taken_back_and_reviews_go_on(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.end(match)
    take_the_end_back(study, match)
    assert study.states(referral_id)[(Stage.END, CLIENT)] == "cancelled"
    cancelled = study.bench.emitted(EvaluationInvitationCancelled)
    assert {(one.stage, one.respondent) for one in cancelled} == {(Stage.END, CLIENT), (Stage.END, THERAPIST)}
    study.pass_time(weeks=40)
    assert {stage for stage, _ in study.asked()} == {Stage.START, Stage.END, Stage.REVIEW}


def test_who_was_said_never_to_have_come_is_asked_how_things_are_after_all(
    study: Study, referral_id: ReferralId
) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    first = study.token(Stage.START, CLIENT)
    study.end(match, MatchEndReason.NOT_ATTENDED)
    take_the_end_back(study, match)
    again = study.token(Stage.START, CLIENT)
    assert again != first
    study.return_form(again, CALM)
    assert study.states(referral_id)[(Stage.START, CLIENT)] == "returned"


def test_an_answer_given_at_an_end_that_was_none_stands(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.end(match)
    study.return_form(study.token(Stage.END, CLIENT), CALM)
    take_the_end_back(study, match)
    study.pass_time(weeks=1)
    study.end(match)
    asked = [event.respondent for event in study.bench.emitted(EvaluationInvited) if event.stage is Stage.END]
    assert sorted(asked) == [CLIENT, THERAPIST, THERAPIST]


def test_an_end_must_be_known_before_it_is_undone(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    with pytest.raises(NotYet):
        study.bench.hear(events.note_end_undone, undone(match))


def test_an_end_of_before_is_no_news_after_it_was_undone(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.end(match)
    take_the_end_back(study, match)
    study.bench.hear(events.ask_at_end, ended(match))
    assert study.states(referral_id)[(Stage.END, CLIENT)] == "cancelled"
