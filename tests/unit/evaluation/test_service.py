"""The service as a whole: its settings, its migrations, and that everything it lists is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from environs import Env

from chassis.config import InvalidSettings, check
from chassis.host.entrypoints import declared_by, heard_by
from chassis.ids import new_id
from chassis.privacy.sealing import make_keys
from chassis.store.engine import open_engine
from chassis.store.migrate import migrate
from contracts.vocabulary import AgeBand, ReferralId, Respondent
from services.evaluation import dependencies, settings
from services.evaluation.application.invitations import CHASE, FOLLOW_UP, REVIEW
from services.evaluation.domain.invitations import Referral
from services.evaluation.gateways.library import FOLDER, NoSuchInstrument
from services.evaluation.service import EvaluationService
from services.evaluation.store import tables

README = Path(settings.__file__).parent / "README.md"
ADULT = Referral(referral_id=ReferralId(new_id()), consented=True, age_band=AgeBand.FROM_35)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    make_keys(tmp_path / "keys", "evaluation")
    monkeypatch.setenv("LEEWARD_KEYS", str(tmp_path / "keys"))
    return monkeypatch


def test_starts_with_nothing_but_its_keys(environment: pytest.MonkeyPatch) -> None:
    env = Env(eager=False)
    made = dependencies.build(env)
    check(env)
    assert made.settings.review_after.days == 42
    assert (asked := made.instrument_for(Respondent.CLIENT, ADULT))
    assert asked.code == "core-10"


def test_refuses_to_start_with_an_instrument_that_has_no_definition(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("EVALUATION_CLIENT_INSTRUMENT", "made-up")
    with pytest.raises(NoSuchInstrument, match="made-up"):
        dependencies.build(Env(eager=False))


def test_the_charity_may_add_an_instrument_of_its_own(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    definition = json.loads((FOLDER / "therapist-view.v1.json").read_text()) | {"instrument": "made-up"}
    (tmp_path / "made-up.v1.json").write_text(json.dumps(definition))
    environment.setenv("EVALUATION_INSTRUMENTS_FOLDER", str(tmp_path))
    environment.setenv("EVALUATION_CLIENT_INSTRUMENT", "made-up")
    asked = dependencies.build(Env(eager=False)).instrument_for(Respondent.CLIENT, ADULT)
    assert asked
    assert asked.code == "made-up"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVALUATION_SMALLEST_GROUP", "1"),
        ("EVALUATION_REVIEW_AFTER_WEEKS", "soon"),
        ("EVALUATION_FOLLOW_UP_AFTER_WEEKS", "0"),
        ("EVALUATION_REMINDERS_AFTER_DAYS", "7,3"),
        ("EVALUATION_LINK_DAYS", "0"),
    ],
)
def test_names_the_setting_that_is_wrong(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    env = Env(eager=False)
    settings.read(env)
    with pytest.raises(InvalidSettings, match=name):
        check(env)


def test_the_migration_makes_what_the_store_expects(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/migrated.db"
    migrate("evaluation", url)
    with open_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_every_timer_that_is_set_has_a_handler() -> None:
    (schedule,) = (one.entrypoint for one in declared_by(EvaluationService) if one.attribute == "timers")
    assert {entry.name for entry in schedule.entries} == {REVIEW, FOLLOW_UP, CHASE}


def test_the_readme_names_every_setting_and_every_event() -> None:
    text, code = README.read_text(), Path(settings.__file__).read_text()
    assert {name for name in re.findall(r'"(EVALUATION_[A-Z_]+)"', code) if f"`{name}`" not in text} == set()
    heard = {event.__name__ for events in heard_by(EvaluationService).values() for event in events}
    assert {name for name in heard if f"`{name}`" not in text} == set()


def test_no_threshold_of_an_instrument_stands_in_code() -> None:
    definitions = [json.loads(path.read_text()) for path in FOLDER.glob("*.json")]
    codes = {definition["instrument"] for definition in definitions}
    for path in (FOLDER.parent / "domain").glob("*.py"):
        assert [code for code in codes if code in path.read_text()] == [], path.name
