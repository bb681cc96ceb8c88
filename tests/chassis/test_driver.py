"""Statements past SQLAlchemy raise what SQLAlchemy would, and leave its pool as it would."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from chassis.store.fastpath.driver import run, run_many
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


def test_a_statement_that_makes_no_sense_is_no_sign_that_the_store_is_away(store: Store) -> None:
    with store.database.engine.connect() as connection, connection.begin(), pytest.raises(DBAPIError) as raised:
        run_many(connection, "DELETE FROM nowhere", [()])
    assert not raised.value.connection_invalidated
