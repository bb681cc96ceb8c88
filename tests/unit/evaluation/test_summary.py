"""What is reported, and what never is."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.ids import new_id
from contracts.commands.evaluation import EvaluationSummary, SummariseEvaluation
from contracts.vocabulary import ReferralId, Respondent, Stage, TherapistId
from services.evaluation.errors import UnknownInstrument
from services.evaluation.handlers import queries
from tests.unit.evaluation.conftest import Study

CLIENT, THERAPIST = Respondent.CLIENT, Respondent.THERAPIST
ITEMS = ["attends", "engages", "alliance", "goals", "warning_signs", "support"]


def core_10(total: int) -> dict[str, int]:
    """Answers that add up to a total of up to 32; items 2 and 3 add nothing."""
    answers = {"q2": 4, "q3": 4}
    for number in (1, 4, 5, 7, 8, 9, 10, 6):
        answers[f"q{number}"] = min(4, total)
        total -= answers[f"q{number}"]
    return answers


def a_therapy(study: Study, before: int, after: int | None, therapist_id: TherapistId | None = None) -> None:
    """A therapy from its start to its end; with no `after`, the last form is still out."""
    referral_id = ReferralId(new_id())
    study.receive(referral_id)
    match = study.match(referral_id, therapist_id or TherapistId(new_id()))
    study.return_form(study.token(Stage.START, CLIENT, match), core_10(before))
    study.return_form(study.token(Stage.START, THERAPIST, match), dict.fromkeys(ITEMS, 1))
    study.pass_time(weeks=1)
    study.end(match)
    if after is not None:
        study.return_form(study.token(Stage.END, CLIENT, match), core_10(after))
        study.return_form(study.token(Stage.END, THERAPIST, match), dict.fromkeys(ITEMS, 3))


def summaries(study: Study, **asked: Any) -> list[EvaluationSummary]:
    found: list[EvaluationSummary] = study.bench.ask(queries.summarise, SummariseEvaluation(**asked))
    return found


def of_clients(study: Study, **asked: Any) -> EvaluationSummary:
    (found,) = summaries(study, instrument="core-10", respondent=CLIENT, **asked)
    return found


def test_a_group_of_ten_is_reported_with_its_uncertainty(study: Study) -> None:
    for after in (4, 6, 8, 10, 12, 14, 16, 18, 20, 22):
        a_therapy(study, 20, after)
    found = of_clients(study)
    assert not found.suppressed
    assert (found.invited, found.returned, found.response_rate, found.pairs) == (20, 20, 1.0, 10)
    assert found.mean_change is not None
    assert found.mean_change.estimate == -7
    assert found.mean_change.low < -7 < found.mean_change.high < 0
    assert found.standard_error == pytest.approx(1.9149)
    assert found.reliably_improved is not None
    assert found.reliably_worse is not None
    assert (found.reliably_improved.estimate, found.reliably_worse.estimate) == (0.6, 0.0)


def test_a_group_of_nine_is_not_reported_at_all(study: Study) -> None:
    for _ in range(9):
        a_therapy(study, 20, 10)
    found = of_clients(study)
    assert found.suppressed
    assert set(found.to_json()) == {
        "instrument",
        "respondent",
        "until",
        "invited",
        "returned",
        "response_rate",
        "suppressed",
    }


def test_forms_that_are_still_out_lower_the_response_rate_and_make_no_pair(study: Study) -> None:
    for _ in range(10):
        a_therapy(study, 20, 10)
    a_therapy(study, 20, None)
    found = of_clients(study)
    assert (found.invited, found.returned, found.pairs) == (22, 21, 10)
    assert found.response_rate == pytest.approx(0.9545)


def test_ten_therapies_with_one_therapist_would_tell_of_that_therapist(study: Study) -> None:
    therapist_id = TherapistId(new_id())
    for _ in range(10):
        a_therapy(study, 20, 10, therapist_id)
    (of_therapists,) = summaries(study, respondent=THERAPIST)
    assert of_therapists.suppressed
    assert not of_clients(study).suppressed


def test_therapists_show_a_mean_change_and_no_reliable_one(study: Study) -> None:
    for _ in range(10):
        a_therapy(study, 20, 10)
    (of_therapists,) = summaries(study, respondent=THERAPIST)
    assert of_therapists.mean_change is not None
    assert of_therapists.mean_change.estimate == 12
    assert (of_therapists.reliably_improved, of_therapists.reliably_worse) == (None, None)


def test_every_kind_of_form_that_was_asked_for_has_a_summary(study: Study) -> None:
    assert summaries(study) == []
    a_therapy(study, 20, 10)
    assert [(one.instrument, one.respondent) for one in summaries(study)] == [
        ("core-10", CLIENT),
        ("therapist-view", THERAPIST),
    ]


def test_another_stage_may_be_asked_for(study: Study) -> None:
    for _ in range(10):
        a_therapy(study, 20, 10)
    assert of_clients(study, until=Stage.FOLLOW_UP).suppressed


def test_a_start_form_that_came_back_after_the_end_is_no_start(study: Study) -> None:
    for _ in range(9):
        a_therapy(study, 20, 10)
    referral_id = ReferralId(new_id())
    study.receive(referral_id)
    match = study.match(referral_id)
    study.end(match)
    study.return_form(study.token(Stage.END, CLIENT, match), core_10(5))
    study.pass_time(days=1)
    study.return_form(study.token(Stage.START, CLIENT, match), core_10(20))
    assert of_clients(study).suppressed


def test_forms_that_could_not_be_scored_make_no_pair(study: Study) -> None:
    for _ in range(9):
        a_therapy(study, 20, 10)
    referral_id = ReferralId(new_id())
    study.receive(referral_id)
    match = study.match(referral_id)
    study.return_form(study.token(Stage.START, CLIENT, match), {"q1": 3})
    study.pass_time(days=1)
    study.end(match)
    study.return_form(study.token(Stage.END, CLIENT, match), core_10(5))
    found = of_clients(study)
    assert found.suppressed
    assert found.returned == 20


def test_an_invitation_that_was_taken_back_does_not_count_as_unanswered(study: Study) -> None:
    referral_id = ReferralId(new_id())
    study.receive(referral_id)
    study.match(referral_id)
    study.withdraw(referral_id)
    assert summaries(study) == []


def test_an_instrument_that_is_none_is_refused(study: Study) -> None:
    with pytest.raises(UnknownInstrument, match="made-up"):
        summaries(study, instrument="made-up")
