"""A destroyed key is not on the disk any more: the files of the database are searched for its bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chassis.clock import ManualClock
from chassis.ids import new_id
from chassis.privacy.key_wiping import Wiper
from chassis.privacy.vault import Vault, new_master_key
from chassis.store.database import Database
from chassis.store.engine import open_engine
from chassis.store.tables import data_key_table, new_metadata
from contracts.sealed import Note
from tests.chassis.conftest import START
from tests.conftest import STORES
from tests.support.postgresql import Server

PEOPLE = 2_000
metadata = new_metadata()
data_keys = data_key_table(metadata)


@dataclass
class Disk:
    """A store with keys, and where its files are. `settle` has everything that was committed written to them."""

    database: Database
    files: Callable[[], list[Path]]
    vault: Vault

    def settle(self) -> None:
        if self.database.engine.dialect.name == "postgresql":
            with self.database.engine.connect() as connection:
                connection.execute(text("CHECKPOINT"))

    def holds(self, keys: list[bytes]) -> int:
        """How many of these keys stand somewhere in the files."""
        self.settle()
        content = b"".join(path.read_bytes() for path in self.files())
        return sum(key in content for key in keys)

    def keep(self, count: int) -> list[UUID]:
        people = [new_id() for _ in range(count)]
        random.Random(7).shuffle(people)
        for batch in range(0, count, 100):
            with self.database.unit() as unit:
                for one in people[batch : batch + 100]:
                    self.vault.encrypt(unit.session, one, Note(text="made up"), at=START)
        return people

    def destroy(self, people: list[UUID]) -> None:
        for one in people:
            with self.database.unit() as unit:
                self.vault.destroy(unit.session, one, at=START)

    def wrapped(self, people: list[UUID]) -> list[bytes]:
        wanted = select(data_keys.c.wrapped).where(data_keys.c.subject_id.in_(people))
        with Session(self.database.engine) as session:
            return list(session.execute(wanted).scalars())


@pytest.fixture(params=STORES)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    url, files = f"sqlite:///{tmp_path}/store.db", lambda: list(tmp_path.glob("store.db*"))
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql_server")
        url = server.create_database(f"wiping_{new_id().hex}")
    engine = open_engine(url)
    if request.param == "postgresql":
        with engine.connect() as connection:
            oid = connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar()
        base = server.folder / "data" / "base" / str(oid)
        files = lambda: [path for path in base.rglob("*") if path.is_file()]  # noqa: E731
    metadata.create_all(engine)
    database = Database(service="intake", engine=engine, metadata=metadata, clock=ManualClock(START), dependencies=None)
    yield Disk(database, files, Vault(data_keys, new_master_key()))
    engine.dispose()


def test_a_destroyed_key_is_nowhere_in_the_files_once_they_are_wiped(disk: Disk) -> None:
    people = disk.keep(PEOPLE)
    erased = people[9::10]  # the last one of its page among them
    kept = sorted(set(people) - set(erased))
    gone, there = disk.wrapped(erased), disk.wrapped(kept)
    wiper = Wiper(disk.database, data_keys)
    assert wiper.wipe()
    assert disk.holds(gone) == 200
    disk.destroy(erased)
    assert disk.holds(gone) > 0, "what is wiped was there to be wiped"
    with disk.database.engine.connect():  # SQLite clears up by itself when the last connection is closed
        assert wiper.wipe()
        assert disk.holds(gone) == 0
    assert disk.holds(there) == len(there)


def test_whoever_reads_meanwhile_puts_it_off_and_loses_nothing(disk: Disk) -> None:
    (person, other) = disk.keep(2)
    gone, wiper = disk.wrapped([person]), Wiper(disk.database, data_keys)
    disk.settle()
    with disk.database.reading() as reader:
        reader.session.execute(select(data_keys)).all()
        disk.destroy([person])
        assert not wiper.wipe()
    assert wiper.wipe()
    assert disk.holds(gone) == 0
    assert disk.wrapped([other])[0]


def test_whoever_may_still_see_it_puts_it_off(disk: Disk) -> None:
    """As a backup that is being taken does, without having come to this table yet."""
    (person,) = disk.keep(1)
    gone, wiper = disk.wrapped([person]), Wiper(disk.database, data_keys)
    disk.settle()
    level = {"postgresql": "REPEATABLE READ"}.get(disk.database.engine.dialect.name, "SERIALIZABLE")
    with disk.database.engine.connect().execution_options(isolation_level=level, read_only=True) as backup:
        backup.execute(select(disk.database.tables.inbox)).all()
        disk.destroy([person])
        assert not wiper.wipe()
    assert wiper.wipe()
    assert disk.holds(gone) == 0


def test_nothing_is_written_where_nothing_was_destroyed(disk: Disk) -> None:
    disk.keep(3)
    before = {path.name for path in disk.files()}
    assert Wiper(disk.database, data_keys).wipe()
    assert {path.name for path in disk.files()} == before
