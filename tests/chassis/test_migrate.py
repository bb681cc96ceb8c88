"""Two migrations of one database."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
from sqlalchemy import inspect

from chassis.ids import new_id
from chassis.store.engine import open_engine
from chassis.store.migrate import migrate
from chassis.store.revision import newest


def test_two_at_once_wait_for_one_another_and_both_end_well(request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgresql_server")
    url = server.create_database(f"migrated_{new_id().hex}")
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as several:
        for done in [several.submit(migrate, "evaluation", url) for _ in range(3)]:
            done.result(60)
    engine = open_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
        assert found == [newest("evaluation")]
        assert inspect(connection).has_table("invitation")
    engine.dispose()
