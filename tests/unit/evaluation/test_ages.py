"""Who is asked by which instrument, by their age; and that one person is counted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.ids import new_id
from contracts.commands.evaluation import SummariseEvaluation
from contracts.events.evaluation import EvaluationInvited, EvaluationSubmitted
from contracts.events.intake import ReferralAssessed
from contracts.vocabulary import AgeBand, Competence, PersonId, ReferralId, Respondent, RiskLevel, Stage, Work
from services.evaluation.handlers import events, queries
from tests.unit.evaluation.conftest import MONDAY_10, Study, received

CLIENT, THERAPIST = Respondent.CLIENT, Respondent.THERAPIST


def assess(study: Study, referral_id: ReferralId, age_years: int | None) -> None:
    event = ReferralAssessed(
        referral_id=referral_id,
        assessed_at=MONDAY_10,
        risk_level=RiskLevel.LOWER,
        competence=Competence.LOWER,
        work=Work.INDIVIDUAL,
        age_years=age_years,
    )
    study.bench.hear(events.note_age, event)


def asked_by(study: Study, age_years: int | None, age_band: AgeBand) -> dict[Respondent, str]:
    referral_id = ReferralId(new_id())
    study.receive(referral_id, age_band=age_band)
    assess(study, referral_id, age_years)
    study.match(referral_id)
    return {one.respondent: one.instrument for one in study.bench.emitted(EvaluationInvited)}


@pytest.mark.parametrize("age_years", [11, 14, 16])
def test_who_is_11_to_16_is_asked_by_yp_core(study: Study, age_years: int) -> None:
    assert asked_by(study, age_years, AgeBand.UNDER_18)[CLIENT] == "yp-core"


@pytest.mark.parametrize("age_years", [5, 10, 17, None])
def test_nobody_under_18_is_asked_by_an_instrument_that_is_not_made_for_them(
    study: Study, age_years: int | None
) -> None:
    assert [*asked_by(study, age_years, AgeBand.UNDER_18)] == [THERAPIST]


def test_an_age_under_18_goes_before_a_band_that_does_not_know(study: Study) -> None:
    assert [*asked_by(study, 17, AgeBand.UNKNOWN)] == [THERAPIST]


def test_adults_are_asked_as_ever(study: Study) -> None:
    assert asked_by(study, None, AgeBand.FROM_18)[CLIENT] == "core-10"


@pytest.mark.parametrize(
    ("answers", "score"),
    [([0] * 10, 12), ([0, 0, 4, 0, 4, 0, 0, 0, 0, 4], 0), ([4, 4, 0, 4, 0, 4, 4, 4, 4, 0], 40)],
)
def test_yp_core_scores_items_3_5_and_10_in_reverse(study: Study, answers: list[int], score: int) -> None:
    asked_by(study, 14, AgeBand.UNDER_18)
    study.return_form(study.token(Stage.START, CLIENT), answers)
    (event,) = study.bench.emitted(EvaluationSubmitted)
    assert event.score == score


def therapy(study: Study, **changes: object) -> ReferralId:
    """One referral's therapy with both forms."""
    referral_id = ReferralId(new_id())
    study.bench.hear(events.note_referral, replace(received(referral_id), **changes))  # type: ignore[arg-type]
    match = study.match(referral_id)
    study.return_form(study.token(Stage.START, CLIENT, match), [2] * 10)
    study.bench.clock.advance(timedelta(days=1))
    study.end(match)
    study.return_form(study.token(Stage.END, CLIENT, match), [1] * 10)
    return referral_id


def is_suppressed(study: Study) -> bool:
    (found,) = study.bench.ask(queries.summarise, SummariseEvaluation(respondent=CLIENT))
    return bool(found.suppressed)


def test_a_client_asked_again_is_one_person_by_the_referral_before(study: Study) -> None:
    first = [therapy(study) for _ in range(9)]
    therapy(study, previous_referral_id=therapy(study, previous_referral_id=first[0]))
    assert is_suppressed(study)
    therapy(study)
    assert not is_suppressed(study)


def test_a_client_asked_again_is_one_person_by_their_id(study: Study) -> None:
    person = PersonId(new_id())
    for _ in range(10):
        therapy(study, person_id=person)
    assert is_suppressed(study)


def test_referrals_of_one_person_that_come_in_another_order_are_one_persons(study: Study) -> None:
    for _ in range(8):
        therapy(study)
    first, second, third = (ReferralId(new_id()) for _ in range(3))
    before = {third: second, second: first, first: None}
    matches = []
    for referral_id, previous in before.items():
        event = replace(received(referral_id), previous_referral_id=previous)
        study.bench.hear(events.note_referral, event)
        matches.append(study.match(referral_id))
    for match in matches:
        study.return_form(study.token(Stage.START, CLIENT, match), [2] * 10)
    study.bench.clock.advance(timedelta(days=1))
    for match in matches:
        study.end(match)
        study.return_form(study.token(Stage.END, CLIENT, match), [1] * 10)
    assert is_suppressed(study)
    therapy(study)
    assert not is_suppressed(study)
