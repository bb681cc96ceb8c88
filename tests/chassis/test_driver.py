"""Statements past SQLAlchemy raise what SQLAlchemy would, and leave its pool as it would."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from chassis.store.driver import run, run_many
from chassis.store.engine import open_engine
from chassis.store.first_turn import begin_with
from tests.chassis.conftest import Store, note_row

ADD = "INSERT INTO note (id, number) VALUES ('{id}', {number})"


def _add(number: int) -> str:
    return ADD.format(id=note_row(number)["id"].hex, number=number)  # type: ignore[union-attr]


def test_what_a_statement_returns_is_returned(store: Store) -> None:
    with store.database.begin() as connection:
        assert run(connection, f"{_add(7)} RETURNING number") == [(7,)]
        assert run(connection, _add(8)) == []
    assert store.numbers() == [7, 8]


@pytest.mark.parametrize("rows", [[(1,)], [(1,), (2,), (3,)]])
def test_rows_are_written_however_many_there_are(store: Store, rows: list[tuple[int]]) -> None:
    sign = "%s" if store.database.engine.dialect.name == "postgresql" else "?"
    with store.database.begin() as connection:
        for (number,) in rows:
            run(connection, _add(number))
        run_many(connection, f"UPDATE note SET number = number + 10 WHERE number = {sign}", rows)
    assert store.numbers() == [number + 10 for (number,) in rows]


def test_an_error_is_of_sqlalchemys_kind_and_leaves_the_connection_in_use(store: Store) -> None:
    with store.database.engine.connect() as connection:
        connection.begin()
        run(connection, _add(1))
        with pytest.raises(IntegrityError) as raised:
            run(connection, _add(1))
        assert not raised.value.connection_invalidated
        connection.rollback()
        connection.begin()
        run(connection, _add(2))
        connection.commit()
    assert store.numbers() == [2]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_transaction_begins_with_its_first_statement_and_only_then(store: Store) -> None:
    with store.database.engine.connect() as connection:
        connection.begin()
        assert begin_with(connection, f"{_add(1)} RETURNING number, 'one'") == [("1", "one")]
        begin_with(connection, f"{_add(2)} RETURNING number")
        connection.rollback()
        connection.begin()
        begin_with(connection, f"{_add(3)} RETURNING number")
        connection.commit()
    assert store.numbers() == [3]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_an_error_of_the_first_statement_is_like_any_others(store: Store) -> None:
    with store.database.begin() as connection:
        run(connection, _add(1))
    with store.database.engine.connect() as connection:
        connection.begin()
        with pytest.raises(IntegrityError) as raised:
            begin_with(connection, f"{_add(1)} RETURNING number")
        assert not raised.value.connection_invalidated
        connection.rollback()
        connection.begin()
        begin_with(connection, f"{_add(2)} RETURNING number")
        connection.commit()
    assert store.numbers() == [1, 2]


def test_a_statement_that_makes_no_sense_is_no_sign_that_the_store_is_away(store: Store) -> None:
    with store.database.engine.connect() as connection, connection.begin(), pytest.raises(DBAPIError) as raised:
        run_many(connection, "DELETE FROM nowhere", [()])
    assert not raised.value.connection_invalidated


@pytest.mark.parametrize("ask", [run, begin_with])
def test_a_lost_connection_and_those_that_lie_in_the_pool_are_given_up(
    postgresql_url: str, ask: Callable[[Connection, str], object]
) -> None:
    engine, other = open_engine(postgresql_url), create_engine(postgresql_url)
    with engine.connect() as first, engine.connect() as second:
        pids = [run(one, "SELECT pg_backend_pid()")[0][0] for one in (first, second)]
    with other.begin() as connection:
        for pid in pids:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    with engine.connect() as connection, pytest.raises(OperationalError) as raised:
        ask(connection, "SELECT 1")
    assert raised.value.connection_invalidated
    with engine.connect() as first, engine.connect() as second:
        assert [run(one, "SELECT 1") for one in (first, second)] == [[(1,)], [(1,)]]
    engine.dispose()
    other.dispose()
