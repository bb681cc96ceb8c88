"""What a commit waits for."""

from __future__ import annotations

from sqlalchemy import Connection

from tests.chassis.conftest import Store

FULL = {"sqlite": "2", "postgresql": "on"}
SURVIVES_THE_PROCESS = {"sqlite": "1", "postgresql": "off"}


def test_a_unit_waits_for_the_disk_and_upkeep_does_not(store: Store) -> None:
    with store.database.unit() as unit:
        assert _waits_for(unit.session.connection()) == FULL[store.database.engine.dialect.name]
    with store.database.begin() as transaction:
        assert _waits_for(transaction) == SURVIVES_THE_PROCESS[store.database.engine.dialect.name]


def test_a_unit_after_upkeep_on_the_same_connection_waits_for_the_disk(store: Store) -> None:
    with store.database.begin() as transaction:
        upkeep_on = transaction.connection.driver_connection
    with store.database.unit() as unit:
        connection = unit.session.connection()
        assert connection.connection.driver_connection is upkeep_on
        assert _waits_for(connection) == FULL[store.database.engine.dialect.name]


def _waits_for(connection: Connection) -> str:
    setting = "PRAGMA synchronous" if connection.dialect.name == "sqlite" else "SHOW synchronous_commit"
    return str(connection.exec_driver_sql(setting).scalar())
