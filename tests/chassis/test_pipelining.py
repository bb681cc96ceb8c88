"""PostgreSQL is told in few turns what a transaction consists of, and nothing else about it changes."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from chassis.ids import new_id
from chassis.store.engine import open_engine
from chassis.store.fastpath.driver import run
from chassis.store.fastpath.pipelining import begin_with, end_with
from tests.chassis.conftest import Store, note_row

pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)

ADD = "INSERT INTO note (id, number) VALUES (CAST(%(id)s AS uuid), CAST(%(number)s AS integer)) RETURNING number, 'one'"


def _add(number: int) -> str:
    return f"INSERT INTO note (id, number) VALUES ('{note_row(number)['id']}', {number})"


def _given(number: int) -> dict[str, str]:
    return {"id": str(new_id()), "number": str(number)}


def prepared(connection: Connection) -> list[str]:
    """The names of what PostgreSQL has planned for this connection."""
    return [name for (name,) in run(connection, "SELECT name FROM pg_prepared_statements ORDER BY name")]


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


def test_a_transaction_ends_with_its_last_statement(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.Connection, "commit", lambda self: None)
    engine = store.database.engine
    with engine.connect() as connection, engine.connect() as another:
        connection.begin()
        begin_with(connection, f"{_add(1)} RETURNING number")
        assert end_with(connection, ADD, _given(2)) == [("2", "one")]
        assert another.execute(text("SELECT count(*) FROM note")).scalar() == 2
        assert not connection.in_transaction()
    assert store.numbers() == [1, 2]


def test_a_statement_may_be_first_and_last(store: Store) -> None:
    with store.database.engine.connect() as connection:
        for number in (1, 2):
            connection.begin()
            end_with(connection, ADD, _given(number))
    assert store.numbers() == [1, 2]


def test_if_the_last_statement_fails_nothing_is_kept_and_the_connection_stays_in_use(store: Store) -> None:
    with store.database.engine.connect() as connection:
        connection.begin()
        begin_with(connection, f"{_add(1)} RETURNING number")
        with pytest.raises(IntegrityError) as raised:
            end_with(connection, ADD, _given(1))
        assert not raised.value.connection_invalidated
        connection.rollback()
        connection.begin()
        end_with(connection, ADD, _given(2))
    assert store.numbers() == [2]


def test_if_it_is_the_commit_that_fails_nothing_is_kept(store: Store) -> None:
    engine = store.database.engine
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE part (whole uuid REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED)"))
    try:
        with engine.connect() as connection:
            connection.begin()
            with pytest.raises(IntegrityError):
                end_with(connection, "INSERT INTO part VALUES (CAST(%(whole)s AS uuid))", {"whole": str(new_id())})
            connection.rollback()
            assert run(connection, "SELECT count(*) FROM part") == [(0,)]
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE part"))


@pytest.mark.parametrize("said", ["O'Hara", "back\\slash", "'); DROP TABLE note; --", "Llŷn 你好", "%(number)s $1", ""])
def test_text_arrives_as_it_was_given(store: Store, said: str) -> None:
    with store.database.engine.connect() as connection:
        connection.begin()
        assert end_with(connection, "SELECT CAST(%(said)s AS text)", {"said": said}) == [(said,)]


def test_what_is_given_is_in_no_text_that_postgresql_may_write_down(store: Store) -> None:
    asked = "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND CAST(%(said)s AS text) <> ''"
    with store.database.engine.connect() as connection:
        connection.begin()
        ((text_of_it,),) = end_with(connection, asked, {"said": "confided"})
    assert "pg_stat_activity" in text_of_it
    assert "confided" not in text_of_it


def test_a_statement_is_planned_once_and_no_rollback_takes_that_away(store: Store) -> None:
    with store.database.engine.connect() as connection:
        for number in (1, 2):
            connection.begin()
            end_with(connection, ADD, _given(number))
            assert prepared(connection) == ["ending_0"]
            connection.rollback()
        assert prepared(connection) == ["ending_0"]
        connection.rollback()
        connection.begin()
        end_with(connection, "SELECT CAST(%(said)s AS text)", {"said": ""})
        assert prepared(connection) == ["ending_0", "ending_1"]


def test_a_statement_that_could_not_be_planned_is_planned_the_next_time(store: Store) -> None:
    adding = "INSERT INTO later VALUES (%(said)s)"
    with store.database.engine.connect() as connection:
        connection.begin()
        with pytest.raises(DBAPIError):
            end_with(connection, adding, {"said": "too early"})
        connection.rollback()
        with connection.begin():
            connection.execute(text("CREATE TABLE later (said text)"))
        try:
            connection.begin()
            end_with(connection, adding, {"said": "now"})
            assert run(connection, "SELECT said FROM later") == [("now",)]
        finally:
            connection.rollback()
            with connection.begin():
                connection.execute(text("DROP TABLE later"))


def test_who_only_reads_leaves_what_is_planned(store: Store) -> None:
    def read() -> list[str]:
        with store.database.reading() as unit:
            for _ in range(6):  # psycopg plans what is asked for the sixth time
                unit.session.execute(text("SELECT number FROM note WHERE number = :number"), {"number": 1})
            return prepared(unit.session.connection())

    first = read()
    assert len(first) == 1
    assert set(first) <= set(read())


@pytest.mark.parametrize("ask", [run, begin_with, lambda connection, asked: end_with(connection, asked, {})])
def test_a_lost_connection_and_those_that_lie_in_the_pool_are_given_up(
    store: Store, postgresql_url: str, ask: Callable[[Connection, str], object]
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


def test_a_connection_that_is_lost_on_the_way_is_not_waited_for(store: Store) -> None:
    asked = "SELECT CAST(pg_terminate_backend(pg_backend_pid()) AS text)"
    with store.database.engine.connect() as connection:
        connection.begin()
        with pytest.raises(OperationalError) as raised:
            end_with(connection, asked, {})
    assert raised.value.connection_invalidated
