"""Referrals that were there before steps were kept go on, with a history that begins with the state they are in."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from chassis.ids import new_id
from chassis.store.engine import open_engine
from chassis.store.revision import versions_folder
from contracts.vocabulary import ReferralId
from services.intake.domain.states import State, Step
from services.intake.store import referrals
from tests.conftest import STORES

ALEMBIC = Path(__file__).parent.parent.parent.parent / "chassis" / "store" / "migrations"


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    config.set_main_option("version_locations", str(versions_folder("intake")))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@pytest.mark.parametrize("kind", STORES)
def test_a_referral_of_before_is_read_as_it_was(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path}/intake.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_server").create_database(f"before_{new_id().hex}")
    engine, referral_id = open_engine(url), ReferralId(new_id())
    with engine.begin() as connection:
        upgrade(connection, "0003")
        stored = str(referral_id) if kind == "postgresql" else referral_id.hex
        connection.execute(
            text(
                "INSERT INTO referral (id, submission_id, reference, client_group, received_at, assess_by, "
                "passphrase_mark, state, matching_sequence, failed_passphrases) VALUES (:id, :id, '9C28-SAU2-5', "
                "'young_person', '2026-11-20 10:00:00.000000', '2026-11-24 10:00:00.000000', :mark, 'assessed', 0, 0)"
            ),
            {"id": stored, "mark": b"mark"},
        )
        upgrade(connection, "head")
    with Session(engine) as session:
        referral = referrals.get_referral(session, referral_id)
        assert (referral.state, referral.young, referral.steps_taken) == (State.ASSESSED, True, 1)
        (step,) = referrals.history_of(session, referral_id)
        assert (step.step, step.state, step.taken_at) == (Step.RECEIVE, State.ASSESSED, referral.received_at)
    engine.dispose()
