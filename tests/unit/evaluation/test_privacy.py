"""What is left at evaluation of a referral that was erased."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from chassis.ids import new_id
from contracts.events.evaluation import ErasureConfirmed, EvaluationSubmitted
from contracts.events.intake import ReferralErased
from contracts.vocabulary import ReferralId, Respondent, Stage
from services.evaluation.handlers import erasure
from services.evaluation.store import repository, tables
from tests.unit.evaluation.conftest import Study, a_study
from tests.unit.evaluation.test_any_order import a_story, any_order, tell
from tests.unit.evaluation.test_summary import a_therapy, core_10, of_clients

CLIENT = Respondent.CLIENT


def erase(study: Study, referral_id: ReferralId) -> None:
    study.bench.hear(erasure.forget, ReferralErased(referral_id=referral_id))


def referral_ids(study: Study) -> list[ReferralId]:
    with study.bench.database.reading() as unit:
        return list(unit.session.execute(select(tables.referrals.c.referral_id)).scalars())


def everything_about(study: Study, *ids: object) -> list[tuple[str, Any]]:
    """The rows, of tables that hold forms, in which one of these identifiers stands."""
    with study.bench.database.reading() as unit:
        return [
            (table.name, row)
            for table in (tables.invitations, tables.responses)
            for row in unit.session.execute(select(table))
            if set(ids) & set(row)
        ]


def test_a_form_that_came_back_leads_to_nobody_any_more(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    match = study.match(referral_id)
    study.return_form(study.token(Stage.START, CLIENT), core_10(20))
    (submitted,) = study.bench.emitted(EvaluationSubmitted)
    erase(study, referral_id)
    about = everything_about(study, referral_id, match.match_id, submitted.form_id)
    assert {(name, row.state.value) for name, row in about} == {("invitation", "cancelled")}
    assert study.bench.emitted(ErasureConfirmed) == [ErasureConfirmed(referral_id=referral_id)]


def test_what_therapy_changed_is_measured_as_before(study: Study) -> None:
    for before in range(12, 24):
        a_therapy(study, before, 10)
    summary = of_clients(study)
    for referral_id in referral_ids(study):
        erase(study, referral_id)
    assert of_clients(study) == summary
    assert summary.invited == summary.returned


def test_a_form_that_comes_back_too_late_is_not_kept(study: Study, referral_id: ReferralId) -> None:
    study.receive(referral_id)
    study.match(referral_id)
    token = study.token(Stage.START, CLIENT)
    erase(study, referral_id)
    study.return_form(token, core_10(20))
    assert study.bench.emitted(EvaluationSubmitted) == []


@any_order
@given(order=st.permutations([*range(6), *range(6)]))
def test_nobody_is_asked_about_an_erased_referral_whatever_the_order(
    keys: Path, tmp_path: Path, order: list[int]
) -> None:
    study = a_study(keys, f"sqlite:///{tmp_path / str(new_id())}.db")
    referral_id = ReferralId(new_id())
    tell(study, [*a_story(referral_id), (erasure.forget, ReferralErased(referral_id=referral_id))], order)
    asked = len(study.asked())
    study.pass_time(weeks=60)
    assert len(study.asked()) == asked
    assert set(study.states(referral_id).values()) <= {"cancelled"}
    with study.bench.database.unit() as unit:
        referral = repository.referral_of(unit.session, referral_id)
        assert (referral.consented, referral.age_band) == (False, None)
