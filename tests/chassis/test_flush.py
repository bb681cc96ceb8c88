"""Objects of the ORM's that were added or changed: what a unit writes of them itself, and what is left to the ORM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Uuid, delete, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import registry, relationship
from sqlalchemy.orm.exc import StaleDataError

from chassis.ids import new_id
from tests.chassis.conftest import Store
from tests.support.statements import listening


@dataclass(eq=False)
class Parent:
    id: UUID
    number: int


@dataclass(eq=False)
class Child:
    id: UUID
    parent_id: UUID
    picture: bytes = b""
    """Of a type that PostgreSQL is not told as JSON."""


@dataclass
class Family:
    """Two plain mappings, of which `child` refers to `parent`."""

    store: Store
    parents: Table
    children: Table
    mapped: registry

    def numbers(self) -> list[int]:
        with self.store.database.engine.connect() as connection:
            return list(connection.execute(select(self.parents.c.number).order_by(self.parents.c.number)).scalars())

    def pairs(self) -> list[tuple[UUID, UUID]]:
        with self.store.database.engine.connect() as connection:
            return [(row.id, row.parent_id) for row in connection.execute(select(self.children))]


@pytest.fixture
def family(store: Store) -> Iterator[Family]:
    metadata, engine = store.note.metadata, store.database.engine
    # Named so that neither their names nor the order of their making says which comes first.
    children = Table(
        "a_child",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("parent_id", Uuid, ForeignKey("b_parent.id"), nullable=False),
        Column("picture", LargeBinary, nullable=False),
    )
    parents = Table("b_parent", metadata, Column("id", Uuid, primary_key=True), Column("number", Integer, unique=True))
    metadata.create_all(engine)
    mapped = registry(metadata=metadata)
    mapped.map_imperatively(Child, children)
    mapped.map_imperatively(Parent, parents)
    yield Family(store, parents, children, mapped)
    mapped.dispose()


def test_what_is_added_is_there_once_the_unit_has_ended(family: Family) -> None:
    with family.store.database.unit() as unit:
        unit.session.add_all(Parent(new_id(), number) for number in (3, 1, 2))
    assert family.numbers() == [1, 2, 3]


def test_what_others_refer_to_is_written_first_whatever_was_added_first(family: Family) -> None:
    parent, child = new_id(), new_id()
    with family.store.database.unit() as unit:
        unit.session.add(Child(child, parent))
        unit.insert(family.parents, id=parent, number=1)
    assert family.pairs() == [(child, parent)]


def test_what_is_changed_may_refer_to_what_is_new(family: Family) -> None:
    old, new, child = new_id(), new_id(), new_id()
    with family.store.database.unit() as unit:
        unit.session.add_all((Parent(old, 1), Child(child, old)))
    with family.store.database.unit() as unit:
        found = unit.session.get(Child, child)
        assert found
        unit.session.add(Parent(new, 2))
        found.parent_id = new
    assert family.pairs() == [(child, new)]


def test_an_object_is_found_and_can_be_changed_within_its_unit(family: Family) -> None:
    parent = new_id()
    with family.store.database.unit() as unit:
        unit.session.add(Parent(parent, 1))
        found = unit.session.execute(select(Parent).where(family.parents.c.number == 1)).scalar_one()
        found.number = 7
    assert family.numbers() == [7]


def test_all_that_was_changed_alike_is_written_at_once(family: Family) -> None:
    with family.store.database.unit() as unit:
        unit.session.add_all(Parent(new_id(), number) for number in (1, 2, 3))
    with listening(family.store.database.engine) as asked, family.store.database.unit() as unit:
        for parent in unit.session.scalars(select(Parent)).all():
            parent.number += 10
    assert family.numbers() == [11, 12, 13]
    if family.store.database.engine.dialect.name == "postgresql":
        assert len([statement for statement in asked if "UPDATE" in statement]) == 1


def test_what_was_changed_is_written_before_the_unit_asks_and_can_be_changed_again(family: Family) -> None:
    with family.store.database.unit() as unit:
        unit.session.add_all((Parent(new_id(), 1), Parent(new_id(), 2)))
    with family.store.database.unit() as unit:
        one = unit.session.execute(select(Parent).where(family.parents.c.number == 1)).scalar_one()
        one.number = 8
        assert unit.session.execute(select(Parent).where(family.parents.c.number == 8)).scalar_one() is one
        assert one not in unit.session.dirty
        one.number = 9
    assert family.numbers() == [2, 9]


def test_a_change_of_a_type_that_only_the_orm_can_write_is_left_to_it(family: Family) -> None:
    parent, child = new_id(), new_id()
    with family.store.database.unit() as unit:
        unit.session.add_all((Parent(parent, 1), Child(child, parent)))
    with family.store.database.unit() as unit:
        found = unit.session.get(Child, child)
        assert found
        found.picture = b"\x00\xff"
    with family.store.database.engine.connect() as connection:
        assert connection.execute(select(family.children.c.picture)).scalar_one() == b"\x00\xff"


def test_another_key_is_left_to_the_orm(family: Family) -> None:
    with family.store.database.unit() as unit:
        unit.session.add(Parent(new_id(), 1))
    with family.store.database.unit() as unit:
        found = unit.session.scalars(select(Parent)).one()
        found.id, found.number = (another := new_id()), 2
    with family.store.database.engine.connect() as connection:
        assert connection.execute(select(family.parents.c.id, family.parents.c.number)).one() == (another, 2)


def test_a_change_of_what_is_gone_leaves_nothing_behind(family: Family) -> None:
    parent = new_id()
    with family.store.database.unit() as unit:
        unit.session.add(Parent(parent, 1))
    with pytest.raises(StaleDataError, match="b_parent"), family.store.database.unit() as unit:
        unit.session.add(Parent(new_id(), 5))
        found = unit.session.get(Parent, parent)
        assert found
        unit.session.execute(delete(family.parents).where(family.parents.c.id == parent))
        found.number = 2
    assert family.numbers() == [1]


def test_what_is_changed_may_leave_what_is_removed(family: Family) -> None:
    old, other, child = new_id(), new_id(), new_id()
    with family.store.database.unit() as unit:
        unit.session.add_all((Parent(old, 1), Parent(other, 2), Child(child, old)))
    with family.store.database.unit() as unit:
        found, removed = unit.session.get(Child, child), unit.session.get(Parent, old)
        assert found
        found.parent_id = other
        unit.session.delete(removed)
    assert family.pairs() == [(child, other)]
    assert family.numbers() == [2]


def test_an_object_keeps_what_is_in_it(family: Family) -> None:
    with family.store.database.unit() as unit:
        parent = Parent(new_id(), 5)
        unit.session.add(parent)
    assert parent.number == 5


def test_what_the_database_refuses_leaves_nothing_behind(family: Family) -> None:
    with pytest.raises(IntegrityError), family.store.database.unit() as unit:
        unit.session.add_all(Parent(new_id(), number) for number in (1, 2, 2))
    assert family.numbers() == []


def test_a_mapping_that_is_more_than_a_table_is_left_to_the_orm(store: Store) -> None:
    @dataclass(eq=False)
    class Knot:
        id: UUID
        next: Knot | None = None
        next_id: UUID | None = None

    metadata, engine = store.note.metadata, store.database.engine
    knots = Table(
        "knot", metadata, Column("id", Uuid, primary_key=True), Column("next_id", Uuid, ForeignKey("knot.id"))
    )
    metadata.create_all(engine)
    mapped = registry(metadata=metadata)
    mapped.map_imperatively(Knot, knots, properties={"next": relationship(Knot, remote_side=[knots.c.id])})
    last = Knot(new_id())
    with store.database.unit() as unit:
        unit.session.add(Knot(new_id(), last))
    with engine.connect() as connection:
        assert set(connection.execute(select(knots.c.next_id)).scalars()) == {None, last.id}
    mapped.dispose()


def test_a_mapping_whose_inserts_somebody_listens_to_is_left_to_the_orm(family: Family) -> None:
    heard: list[int] = []
    event.listen(Parent, "before_insert", lambda mapper, connection, parent: heard.append(parent.number))
    with family.store.database.unit() as unit:
        unit.session.add(Parent(new_id(), 4))
    assert heard == [4]
    assert family.numbers() == [4]
