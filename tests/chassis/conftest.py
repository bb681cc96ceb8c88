"""A small store of its own, on each database, for tests of the chassis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, select

from chassis.clock import ManualClock
from chassis.ids import new_id
from chassis.store.database import Database
from chassis.store.engine import open_engine
from chassis.store.tables import new_metadata
from tests.conftest import STORES

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@dataclass
class Store:
    """A database with one table of its own, `note`, whose numbers are unique."""

    database: Database
    clock: ManualClock
    note: Table

    def numbers(self) -> list[int]:
        with self.database.engine.connect() as connection:
            return list(connection.execute(select(self.note.c.number).order_by(self.note.c.number)).scalars())

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of one of the chassis's own tables."""
        with self.database.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(getattr(self.database.tables, table)))]


@pytest.fixture(scope="session")
def postgresql_url(request: pytest.FixtureRequest) -> str:
    """One database for all of these tests, which leave it empty."""
    url: str = request.getfixturevalue("postgresql_server").create_database("chassis")
    return url


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/store.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    metadata: MetaData = new_metadata()
    note = Table("note", metadata, Column("id", Uuid, primary_key=True), Column("number", Integer, unique=True))
    engine, clock = open_engine(url), ManualClock(START)
    metadata.create_all(engine)
    yield Store(
        Database(service="intake", engine=engine, metadata=metadata, clock=clock, dependencies=None), clock, note
    )
    metadata.drop_all(engine)
    engine.dispose()


def note_row(number: int) -> dict[str, UUID | int]:
    return {"id": new_id(), "number": number}
