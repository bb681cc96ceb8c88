"""Taking forms back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chassis.ports import Invalid
from contracts.events.evaluation import EvaluationRiskFlagged, EvaluationSubmitted
from contracts.sealed import LinkSecret
from contracts.vocabulary import ReferralId, Respondent, Stage
from services.evaluation.handlers import events
from tests.unit.evaluation.conftest import CALM, Study

CLIENT, THERAPIST = Respondent.CLIENT, Respondent.THERAPIST


@pytest.fixture
def token(study: Study, referral_id: ReferralId) -> str:
    study.receive(referral_id)
    study.match(referral_id)
    return study.token(Stage.START, CLIENT)


def test_a_form_is_scored_and_announced(study: Study, referral_id: ReferralId, token: str) -> None:
    study.return_form(token, [2] * 10)
    (event,) = study.bench.emitted(EvaluationSubmitted)
    assert (event.referral_id, event.respondent, event.stage) == (referral_id, CLIENT, Stage.START)
    assert (event.instrument, event.score) == ("core-10", 20)
    assert study.states(referral_id)[Stage.START, CLIENT] == "returned"


def test_a_therapist_s_form_is_scored_by_its_own_instrument(study: Study, token: str) -> None:
    items = ["attends", "engages", "alliance", "goals", "warning_signs", "support"]
    study.return_form(study.token(Stage.START, THERAPIST), dict.fromkeys(items, 3))
    (event,) = study.bench.emitted(EvaluationSubmitted)
    assert (event.respondent, event.instrument, event.score) == (THERAPIST, "therapist-view", 18)


def test_an_answer_about_suicide_is_flagged_whatever_the_total(
    study: Study, referral_id: ReferralId, token: str
) -> None:
    study.return_form(token, [0, 4, 4, 0, 0, 1, 0, 0, 0, 0])
    (flag,) = study.bench.emitted(EvaluationRiskFlagged)
    assert (flag.referral_id, flag.instrument, flag.item) == (referral_id, "core-10", "q6")
    (submitted,) = study.bench.emitted(EvaluationSubmitted)
    assert flag.form_id == submitted.form_id
    assert submitted.score == 1


def test_nothing_is_flagged_where_there_is_nothing(study: Study, token: str) -> None:
    study.return_form(token, CALM)
    assert study.bench.emitted(EvaluationRiskFlagged) == []


def test_a_form_that_is_too_incomplete_for_a_score_still_raises_its_flag(
    study: Study, referral_id: ReferralId, token: str
) -> None:
    study.return_form(token, {"q6": 2})
    assert study.bench.emitted(EvaluationSubmitted) == []
    assert len(study.bench.emitted(EvaluationRiskFlagged)) == 1
    assert study.states(referral_id)[Stage.START, CLIENT] == "returned"


def test_a_form_left_wholly_blank_is_a_form_all_the_same(study: Study, referral_id: ReferralId, token: str) -> None:
    study.return_form(token, {})
    assert study.bench.emitted(EvaluationSubmitted) == []
    assert study.states(referral_id)[Stage.START, CLIENT] == "returned"


def test_the_same_form_twice_does_nothing_the_second_time(study: Study, token: str) -> None:
    event = study.returned(token, [2] * 10)
    for _ in range(3):
        study.bench.hear(events.take_form, event)
    study.return_form(token, [2] * 10)
    assert len(study.bench.emitted(EvaluationSubmitted)) == 1
    assert len(study.bench.emitted(EvaluationRiskFlagged)) == 1


def test_the_same_answers_in_another_order_are_the_same_form(study: Study, token: str) -> None:
    answers = {f"q{number}": 2 for number in range(1, 11)}
    study.return_form(token, answers)
    study.return_form(token, dict(reversed(answers.items())))
    assert len(study.bench.emitted(EvaluationSubmitted)) == 1


def test_other_answers_on_a_link_that_was_used_are_refused(study: Study, token: str) -> None:
    study.return_form(token, [2] * 10)
    with pytest.raises(Invalid, match="returned"):
        study.return_form(token, [3] * 10)


def test_a_link_that_never_was_one_is_refused(study: Study, token: str) -> None:
    with pytest.raises(Invalid, match="belongs to no invitation"):
        study.return_form("a-token-that-was-made-up-for-a-test", CALM)


def test_a_form_of_another_shape_is_refused(study: Study, token: str) -> None:
    sealed = study.keyring.seal("evaluation", LinkSecret(token=token))
    with pytest.raises(Invalid, match="answers"):
        study.bench.hear(events.take_form, replace(study.returned(token, CALM), sealed=sealed))


@pytest.mark.parametrize(("answers", "reason"), [({"q99": 1}, "no such item"), ({"q1": 5}, "q1 is out of range")])
def test_a_form_that_does_not_fit_its_instrument_is_refused_and_may_be_sent_again(
    study: Study, token: str, answers: dict[str, int], reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        study.return_form(token, answers)
    study.return_form(token, CALM)
    assert len(study.bench.emitted(EvaluationSubmitted)) == 1


def test_nothing_is_kept_of_a_form_whose_invitation_was_taken_back(
    study: Study, referral_id: ReferralId, token: str
) -> None:
    study.withdraw(referral_id)
    study.return_form(token, CALM)
    assert study.bench.emitted(EvaluationSubmitted) == []
    assert study.states(referral_id)[Stage.START, CLIENT] == "too_late"


def test_but_an_answer_about_suicide_in_it_is_brought_to_a_person_once(
    study: Study, referral_id: ReferralId, token: str
) -> None:
    study.withdraw(referral_id)
    study.return_form(token, {"q6": 4})
    with pytest.raises(Invalid, match="too_late"):
        study.return_form(token, {"q6": 4})
    assert len(study.bench.emitted(EvaluationRiskFlagged)) == 1


def test_a_form_that_came_back_before_the_withdrawal_stands(study: Study, referral_id: ReferralId, token: str) -> None:
    study.return_form(token, CALM)
    study.withdraw(referral_id)
    assert study.states(referral_id)[Stage.START, CLIENT] == "returned"


def test_neither_secret_nor_answers_are_said_or_kept(study: Study, token: str, database_file: Path) -> None:
    study.return_form(token, [3, 1, 3, 1, 3, 1, 3, 1, 3, 1])
    said = " ".join(str(event.to_json()) for event in study.bench.all_emitted)
    assert token not in said
    assert "answers" not in said
    with study.bench.database.reading() as unit:
        columns = unit.session.connection().exec_driver_sql("SELECT * FROM response").keys()
    kept = {"invitation_id", "form_id", "answers_mark", "score", "missing", "submitted_at", "mode", "entered_by"}
    assert set(columns) == kept
    assert not any(token.encode() in path.read_bytes() for path in database_file.parent.glob("evaluation.db*"))
