"""Two commands that get in each other's way are done one after the other, or the second is told so."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from chassis.host.provider import Chassis, TwoAtOnce
from chassis.ports import UnitOfWork
from chassis.store.tables import new_metadata
from chassis.testing import somebody
from contracts.commands.operations import GetHealth
from tests.chassis.conftest import Store, note_row


class _Collision(Exception):
    sqlstate = "40P01"


@pytest.fixture
def chassis(store: Store) -> Chassis:
    opened = Chassis(metadata=new_metadata(), dependencies=lambda env: None)
    opened.database = store.database
    opened.settings = cast(Any, SimpleNamespace(readings_per_hour=2))
    return opened


def note(store: Store, *, before: Callable[[int], None]) -> Callable[[UnitOfWork[Any], Any], str]:
    """A command that notes 1; `before` is called with how often it was tried."""
    tried = 0

    def handle(unit: UnitOfWork[Any], request: Any) -> str:
        nonlocal tried
        tried += 1
        before(tried)
        unit.session.execute(store.note.insert().values(note_row(tried)))
        return f"the {tried}."

    return handle


def test_what_another_added_first_is_tried_once_more(store: Store, chassis: Chassis) -> None:
    with store.database.unit() as unit:
        unit.session.execute(store.note.insert().values(note_row(1)))
    assert chassis.ask(note(store, before=lambda tried: None), GetHealth(), somebody()) == "the 2."
    assert store.numbers() == [1, 2]


def test_two_that_wait_for_each_other_are_done_one_after_the_other(store: Store, chassis: Chassis) -> None:
    def collide(tried: int) -> None:
        if tried == 1:
            raise OperationalError("UPDATE", {}, _Collision())

    assert chassis.ask(note(store, before=collide), GetHealth(), somebody()) == "the 2."


def test_who_is_in_the_way_twice_is_told_so_by_name(store: Store, chassis: Chassis) -> None:
    def collide(tried: int) -> None:
        raise OperationalError("UPDATE", {}, _Collision())

    with pytest.raises(TwoAtOnce, match="try again"):
        chassis.ask(note(store, before=collide), GetHealth(), somebody())
    assert store.numbers() == []


def test_anything_else_is_not_tried_again(store: Store, chassis: Chassis) -> None:
    def fail(tried: int) -> None:
        assert tried == 1
        raise DBAPIError("SELECT", {}, Exception("gone"))

    with pytest.raises(DBAPIError):
        chassis.ask(note(store, before=fail), GetHealth(), somebody())
