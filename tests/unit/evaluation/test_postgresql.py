"""The same stories on PostgreSQL, where locks and time zones are others."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.ids import new_id
from contracts.vocabulary import ReferralId, Respondent, Stage
from tests.support.postgresql import Server
from tests.unit.evaluation.conftest import Study, a_study
from tests.unit.evaluation.test_any_order import a_story, tell
from tests.unit.evaluation.test_summary import a_therapy, of_clients


@pytest.fixture
def study(keys: Path, postgresql_server: Server) -> Study:
    return a_study(keys, postgresql_server.create_database(f"evaluation_{new_id().hex}"))


def test_a_whole_referral_in_reverse_and_twice(study: Study, referral_id: ReferralId) -> None:
    story = a_story(referral_id)
    tell(study, story, [*reversed(range(len(story))), *range(len(story))])
    assert study.asked().count((Stage.END, Respondent.CLIENT)) == 2
    study.withdraw(referral_id)
    assert set(study.states(referral_id).values()) == {"cancelled"}


def test_a_group_of_ten_is_reported_and_one_of_nine_is_not(study: Study) -> None:
    for after in range(9):
        a_therapy(study, 20, after)
    assert of_clients(study).suppressed
    a_therapy(study, 20, 9)
    found = of_clients(study)
    assert found.mean_change is not None
    assert found.mean_change.estimate == -15.5
