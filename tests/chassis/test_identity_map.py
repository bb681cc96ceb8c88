"""Rows by their primary key: read once a unit, locked, and never older than what the unit knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import registry

from chassis.ids import new_id
from chassis.store import identity_map
from tests.chassis.conftest import Store
from tests.support.statements import listening

Statements = list[str]
Read = Callable[..., object]


@dataclass(eq=False)
class Note:
    id: UUID
    number: int


@pytest.fixture
def kept(store: Store) -> Iterator[UUID]:
    """A note, number 1, that was committed before."""
    mapper = registry(metadata=store.note.metadata)
    mapper.map_imperatively(Note, store.note)
    id_ = new_id()
    with store.database.engine.begin() as connection:
        connection.execute(insert(store.note).values(id=id_, number=1))
    yield id_
    mapper.dispose()


@pytest.fixture
def asked(store: Store) -> Iterator[Statements]:
    """Every statement that the database is asked."""
    with listening(store.database.engine) as statements:
        yield statements


def selected(asked: Statements) -> Statements:
    return [statement for statement in asked if statement.startswith("SELECT note")]


either = pytest.mark.parametrize("read", [identity_map.find, identity_map.lock])


@either
def test_a_row_is_read_once_in_a_unit_though_nobody_holds_it(
    store: Store, kept: UUID, asked: Statements, read: Read
) -> None:
    with store.database.unit() as unit:
        for _ in range(3):
            assert getattr(read(unit.session, Note, kept), "number", None) == 1
    assert len(selected(asked)) == 1


@either
def test_what_is_not_there_is_none(store: Store, kept: UUID, read: Read) -> None:
    with store.database.unit() as unit:
        assert read(unit.session, Note, new_id()) is None


@either
def test_a_row_that_was_only_just_added_is_found(store: Store, kept: UUID, read: Read) -> None:
    with store.database.unit() as unit:
        unit.session.add(note := Note(new_id(), 2))
        assert read(unit.session, Note, note.id) is note


@either
def test_a_row_that_was_only_just_added_is_not_taken_for_another(store: Store, kept: UUID, read: Read) -> None:
    with store.database.unit() as unit:
        unit.session.add(Note(new_id(), 2))
        assert getattr(read(unit.session, Note, kept), "number", None) == 1


@either
def test_a_row_that_was_removed_is_not_found(store: Store, kept: UUID, read: Read) -> None:
    with store.database.unit() as unit:
        unit.session.delete(read(unit.session, Note, kept))
        unit.session.flush()
        assert read(unit.session, Note, kept) is None


def test_what_was_locked_with_others_is_not_read_again(store: Store, kept: UUID, asked: Statements) -> None:
    with store.database.unit() as unit:
        unit.session.add(later := Note(new_id(), 2))
        found = identity_map.lock_all(unit.session, Note, [later.id, new_id(), kept])
        assert [one.number for one in found] == [1, 2]
        assert identity_map.lock(unit.session, Note, kept) is found[0]
        del found
        again = identity_map.lock(unit.session, Note, kept)
        assert again is not None
        assert again.number == 1
    assert len(selected(asked)) == 1


def test_locking_all_keeps_what_the_unit_had_changed_before(store: Store, kept: UUID) -> None:
    with store.database.unit() as unit:
        found = unit.session.execute(select(Note)).scalar_one()
        found.number = 7
        assert [one.number for one in identity_map.lock_all(unit.session, Note, [kept])] == [7]


def test_locking_keeps_what_the_unit_had_changed_before(store: Store, kept: UUID) -> None:
    with store.database.unit() as unit:
        found = unit.session.execute(select(Note)).scalar_one()
        found.number = 7
        locked = identity_map.lock(unit.session, Note, kept)
        assert locked is found
        assert found.number == 7
    assert store.numbers() == [7]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_row_that_another_replica_changed_is_read_afresh_when_it_is_locked(store: Store, kept: UUID) -> None:
    with store.database.unit() as unit:
        found = identity_map.find(unit.session, Note, kept)
        with store.database.engine.begin() as another:
            another.execute(update(store.note).values(number=5))
        assert identity_map.lock(unit.session, Note, kept) is found
        assert getattr(found, "number", None) == 5


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_nobody_else_can_lock_it_meanwhile(store: Store, kept: UUID) -> None:
    with store.database.unit() as unit:
        identity_map.lock(unit.session, Note, kept)
        with store.database.engine.connect() as another, pytest.raises(DBAPIError, match="could not obtain lock"):
            another.execute(text("SELECT * FROM note FOR UPDATE NOWAIT"))
