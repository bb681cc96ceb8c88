"""Prepared statements: the same answers as SQLAlchemy's, and what can't be prepared is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, registry, relationship

from chassis.ids import new_id
from chassis.store.prepared import prepared
from chassis.store.tables import Instant, code
from tests.chassis.conftest import START, Store
from tests.support.statements import listening


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(eq=False)
class Thing:
    id: UUID
    name: str
    colour: Colour
    made_at: datetime
    on: date | None = None
    weight: float | None = None
    count: int = 0
    good: bool = True
    tags: list[str] | None = None
    blob: bytes | None = None


@dataclass(eq=False)
class Part:
    id: UUID
    thing_id: UUID


@dataclass
class Shelf:
    """Two things, of which the first has two parts and the second none."""

    store: Store
    things: Table
    parts: Table
    first: UUID
    second: UUID

    def name(self) -> Any:
        return self.things.c.name


@pytest.fixture
def shelf(store: Store) -> Iterator[Shelf]:
    metadata, engine = store.note.metadata, store.database.engine
    things = Table(
        "thing",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("name", String(40), nullable=False, unique=True),
        Column("colour", code(Colour), nullable=False),
        Column("made_at", Instant, nullable=False),
        Column("on", Date),
        Column("weight", Float),
        Column("count", Integer, nullable=False),
        Column("good", Boolean, nullable=False),
        Column("tags", JSON),
        Column("blob", LargeBinary),
    )
    parts = Table(
        "part",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("thing_id", Uuid, ForeignKey("thing.id"), nullable=False),
    )
    metadata.create_all(engine)
    mapped = registry(metadata=metadata)
    mapped.map_imperatively(Thing, things)
    mapped.map_imperatively(Part, parts)
    first, second = new_id(), new_id()
    with Session(engine) as session:
        whole = {"on": date(2026, 11, 23), "weight": 1.5, "count": 3, "tags": ["a", "ß"], "blob": b"\x00\xff"}
        session.add(Thing(first, "first", Colour.RED, START, **whole))  # type: ignore[arg-type]
        session.add(Thing(second, "second", Colour.BLUE, START, good=False))
        session.flush()
        session.add_all((Part(new_id(), first), Part(new_id(), first)))
        session.commit()
    yield Shelf(store, things, parts, first, second)
    mapped.dispose()


def comparable(rows: list[Any]) -> list[list[Any]]:
    """Rows with mapped objects as their attributes."""

    def of(one: Any) -> Any:
        if isinstance(one, Thing | Part):
            return type(one), {key: value for key, value in vars(one).items() if not key.startswith("_")}
        return one

    return [[of(one) for one in row] for row in rows]


STATEMENTS = {
    "columns": lambda s: (select(s.things).where(s.things.c.id == bindparam("id")), {"id": s.first}),
    "a mapped row": lambda s: (select(Thing).where(s.things.c.id == bindparam("id")), {"id": s.first}),
    "a mapped row with nothing in it": lambda s: (
        select(Thing).where(s.things.c.id == bindparam("id")),
        {"id": s.second},
    ),
    "nothing": lambda s: (select(Thing).where(s.things.c.id == bindparam("id")), {"id": new_id()}),
    "locked": lambda s: (
        select(Thing).where(s.things.c.name == bindparam("name")).with_for_update(),
        {"name": "first"},
    ),
    "columns and mapped rows": lambda s: (
        select(s.things.c.colour, Part).where(Part.thing_id == s.things.c.id).order_by(s.parts.c.id),
        {},
    ),
    "an outer join": lambda s: (
        select(Thing, Part).outerjoin(Part, s.parts.c.thing_id == s.things.c.id).order_by(s.name(), s.parts.c.id),
        {},
    ),
    "values of its own": lambda s: (select(Thing).where(s.things.c.colour == Colour.BLUE).limit(1), {}),
    "values of both kinds": lambda s: (
        select(s.name()).where(s.things.c.colour != Colour.BLUE, s.things.c.made_at <= bindparam("at")),
        {"at": START},
    ),
    "functions": lambda s: (
        select(s.things.c.good, func.sum(s.things.c.count).label("sum"), func.count().label("n"))
        .group_by(s.things.c.good)
        .order_by(s.things.c.good),
        {},
    ),
    "a percent sign": lambda s: (select(s.name()).where(s.name().like("f%")), {}),
}


@pytest.mark.parametrize("what", STATEMENTS)
def test_it_answers_as_sqlalchemy_does(shelf: Shelf, what: str) -> None:
    statement, given = STATEMENTS[what](shelf)
    ready = prepared(statement)
    with Session(shelf.store.database.engine) as session:
        expected = session.execute(statement, given).all()
        names = session.execute(statement, given).keys()
        wanted = comparable(list(expected))
    for _ in range(2):  # the second time it is compiled
        with shelf.store.database.unit() as unit:
            assert comparable(unit.session.execute(ready, given).all()) == wanted
            assert list(unit.session.execute(ready, given).keys()) == list(names)


def test_a_row_has_its_names(shelf: Shelf) -> None:
    ready = prepared(select(shelf.things.c.name, shelf.things.c.colour).order_by(shelf.name()))
    with shelf.store.database.unit() as unit:
        first, _ = unit.session.execute(ready).all()
        assert (first.name, first._mapping["colour"]) == ("first", Colour.RED)
        assert unit.session.scalars(ready).all() == ["first", "second"]


def test_it_goes_past_sqlalchemy(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = prepared(select(Thing).where(shelf.things.c.id == bindparam("id")))
    monkeypatch.setattr(Session, "execute", None)
    with listening(shelf.store.database.engine) as asked, shelf.store.database.unit() as unit:
        assert unit.session.execute(ready, {"id": shelf.first}).scalar_one().name == "first"
    assert len([statement for statement in asked if statement.startswith("SELECT thing")]) == 1


def test_what_it_found_is_the_sessions(shelf: Shelf) -> None:
    ready = prepared(select(Thing).where(shelf.things.c.id == bindparam("id")))
    with shelf.store.database.unit() as unit:
        found = unit.session.execute(ready, {"id": shelf.first}).scalar_one()
        assert unit.session.get(Thing, shelf.first) is found
        assert unit.session.execute(ready, {"id": shelf.first}).scalar_one() is found
        found.name = "changed"
        assert unit.session.execute(select(Thing).where(shelf.name() == "changed")).scalar_one() is found
    with shelf.store.database.unit() as unit:
        assert sorted(unit.session.scalars(select(shelf.name()))) == ["changed", "second"]


def test_what_was_changed_before_is_written_first(shelf: Shelf) -> None:
    ready = prepared(select(Thing).where(shelf.name() == bindparam("name")))
    with shelf.store.database.unit() as unit:
        found = unit.session.get(Thing, shelf.first)
        assert found
        found.name = "changed"
        unit.session.add(Thing(new_id(), "third", Colour.RED, START))
        assert unit.session.execute(ready, {"name": "changed"}).scalar_one() is found
        assert unit.session.execute(ready, {"name": "third"}).scalar_one().colour is Colour.RED


@pytest.mark.parametrize("afresh", [False, True])
def test_an_object_is_read_afresh_only_if_that_is_said(shelf: Shelf, afresh: bool) -> None:
    statement = select(Thing).where(shelf.things.c.id == bindparam("id"))
    ready = prepared(statement.execution_options(populate_existing=afresh))
    with shelf.store.database.unit() as unit:
        found = unit.session.execute(ready, {"id": shelf.first}).scalar_one()
        unit.session.execute(update(shelf.things).where(shelf.things.c.id == shelf.first).values(name="another"))
        assert unit.session.execute(ready, {"id": shelf.first}).scalar_one() is found
        assert found.name == ("another" if afresh else "first")
        assert found not in unit.session.dirty


def test_rows_are_inserted(shelf: Shelf) -> None:
    row = {"id": new_id(), "name": "third", "colour": Colour.BLUE, "made_at": datetime(2026, 1, 2, tzinfo=UTC)}
    row |= {"on": None, "weight": 0.5, "count": 0, "good": True, "tags": {"a": [1]}, "blob": None}
    ready = prepared(shelf.things.insert())
    with shelf.store.database.unit() as unit:
        unit.session.execute(ready, row)
        unit.session.execute(ready, [row | {"id": new_id(), "name": name} for name in ("fourth", "fifth")])
    with Session(shelf.store.database.engine) as session:
        found = session.execute(select(shelf.things).where(shelf.name() == "third")).one()
        assert dict(found._mapping) == row
        assert session.execute(select(func.count()).select_from(shelf.things)).scalar_one() == 5


def test_what_an_insert_returns(shelf: Shelf) -> None:
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[shelf.store.database.engine.dialect.name]
    statement = dialect.insert(shelf.parts).on_conflict_do_nothing(index_elements=["id"]).returning(shelf.parts.c.id)
    ready, row = prepared(statement), {"id": new_id(), "thing_id": shelf.first}
    with shelf.store.database.unit() as unit:
        assert unit.session.execute(ready, row).scalar() == row["id"]
        assert unit.session.execute(ready, row).scalar() is None


def test_what_the_database_refuses_is_raised_as_sqlalchemy_does(shelf: Shelf) -> None:
    ready = prepared(shelf.parts.insert())
    with pytest.raises(IntegrityError), shelf.store.database.unit() as unit:
        unit.session.execute(ready, {"id": new_id(), "thing_id": new_id()})


def test_a_value_that_is_missing_is_named(shelf: Shelf) -> None:
    ready = prepared(select(Thing).where(shelf.things.c.id == bindparam("id")))
    with pytest.raises(KeyError, match="id"), shelf.store.database.unit() as unit:
        unit.session.execute(ready, {"name": "first"})


def test_what_has_defaults_of_pythons_is_refused(store: Store) -> None:
    with pytest.raises(TypeError, match="attempts have defaults"):
        prepared(insert(store.database.tables.timer))


def test_a_mapping_that_is_more_than_a_table_is_refused(shelf: Shelf) -> None:
    class Whole:
        pass

    mapped = registry(metadata=shelf.store.note.metadata)
    mapped.map_imperatively(Whole, shelf.things, properties={"parts": relationship(Part)})
    with pytest.raises(TypeError, match="Whole is mapped to more than a table"):
        prepared(select(Whole))
    mapped.dispose()
