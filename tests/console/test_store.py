"""The console's store: what its migrations make, on SQLite and PostgreSQL, and a whole account on each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from chassis.audit.anchors import read_anchors
from chassis.clock import ManualClock
from chassis.store.migrate import migrate
from chassis.store.revision import current, newest
from contracts.permissions import Role
from tests.console.conftest import AT, ORIGIN, PASSWORD, QUICK, Browser, House
from web.console.app import build_app
from web.console.console import open_console
from web.console.settings import ConsoleSettings
from web.console.upkeep import Upkeep
from web.shared.accounts.application import sessions
from web.shared.accounts.domain.passwords import Passwords
from web.shared.accounts.store import tables


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/migrated.db"
    server = request.getfixturevalue("postgresql_server")
    return str(server.create_database(f"console_{abs(hash(request.node.name))}"))


@pytest.fixture
def house_on(store: str, console_settings: ConsoleSettings) -> Iterator[House]:
    migrate("accounts", store)
    clock, settings = ManualClock(AT), replace(console_settings, database_url=store)
    console = open_console(settings, clock, passwords=Passwords(QUICK))
    app = build_app(console, settings)
    accounts = console.application.accounts
    yield House(accounts, clock, settings, lambda: Browser(TestClient(app, base_url=ORIGIN), clock))
    accounts.database.engine.dispose()


def test_the_migrations_make_exactly_the_tables_of_the_store(store: str) -> None:
    migrate("accounts", store)
    assert current(store) == newest("accounts")
    engine = create_engine(store)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO audit_entry VALUES (1, '2026-12-01', 'somebody', 'read', NULL, NULL, '', '')")
        )
    for change in ("UPDATE audit_entry SET who = 'somebody else'", "DELETE FROM audit_entry"):
        with pytest.raises(DBAPIError, match="only ever added"), engine.begin() as connection:
            connection.execute(text(change))
    engine.dispose()


def test_a_whole_account_lives_on_either_store(house_on: House) -> None:
    ada = house_on.first_administrator()
    cyd = house_on.join(ada, "cyd@example.org", Role.ADMINISTRATOR)
    ben = house_on.join(ada, "ben@example.org", Role.ASSESSOR)
    path = f"/people/{house_on.id_of('ben@example.org')}/roles/decide"
    cyd.open("/people/confirmations")
    assert cyd.post(path, role=Role.ASSESSOR, decision="confirm").status_code == 200
    ben.open("/account")
    assert "Roles Assessor" in ben.text
    ben.post("/sign-out")
    ben.give_password("ben@example.org", "wrong password that is long")
    ben.give_password("ben@example.org")
    ben.post("/sign-in/code", code=ben.codes[0])
    assert ben.path == "/"
    ben.open("/account")
    assert "9 left" in ben.text
    ada.open("/people?state=active&role=assessor")
    assert "ben@example.org" in ada.text
    leaves = f"/people/{house_on.id_of('ben@example.org')}/end"
    ada.open(leaves)
    ada.post(leaves)
    ben.open("/account")
    assert ben.path == "/sign-in"


def test_what_had_its_time_is_deleted_and_the_audit_log_is_anchored(house_on: House, tmp_path: Path) -> None:
    accounts, anchors = house_on.accounts, tmp_path / "anchors"
    administrator = house_on.first_administrator()
    upkeep = Upkeep(accounts.database, anchors, partial(sessions.forget_old, accounts))
    upkeep._attempt(lambda: upkeep._anchoring.anchor())
    assert read_anchors(anchors, "accounts").anchors
    administrator.open("/account")
    shown = administrator.text
    upkeep.forget()
    administrator.open("/account")
    assert administrator.text == shown, "nothing is old yet"
    house_on.clock.advance(timedelta(days=401))
    upkeep.forget()
    with accounts.database.reading() as unit:
        for table in (accounts.tables.sign_in, accounts.tables.one_time_link, accounts.tables.session):
            assert unit.session.execute(select(table)).all() == []


def test_what_postgresql_cannot_compare_is_an_error_of_whoever_sent_it(house_on: House) -> None:
    stranger = house_on.browse()
    stranger.open("/sign-in")
    assert stranger.post("/sign-in", email="a\0@example.org", password=PASSWORD).status_code == 200
    assert "Write it in one line." in stranger.text
    assert house_on.first_administrator().open("/people?after=%00").status_code == 200
