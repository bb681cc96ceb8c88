"""The service as a whole: its table of contents, its settings, its migration, its store."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import IntegrityError

from chassis.config import Env, InvalidSettings, check
from chassis.host.entrypoints import declared_by, heard_by
from chassis.host.timers import Schedule
from chassis.ids import new_id
from chassis.store.engine import open_engine
from contracts.vocabulary import FundId, PaymentId, TherapistId
from services.billing import settings
from services.billing.domain import ledger
from services.billing.service import BillingService
from services.billing.store import funds, journals, rows, tables
from tests.support.postgresql import Server
from tests.unit.billing.making import HANDLERS, POLICY, TIMERS, Bench, assessed, matched, referral

MIGRATIONS = sorted((Path(settings.__file__).parent / "migrations" / "versions").glob("*.py"))
README = Path(settings.__file__).parent / "README.md"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "sqlite":
        return open_engine("sqlite://")
    server: Server = request.getfixturevalue("postgresql_server")
    return open_engine(server.create_database("billing_migration_" + new_id().hex))


def migration(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("migration", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def migrate(connection: Connection) -> MigrationContext:
    context = MigrationContext.configure(
        connection, opts={"target_metadata": tables.metadata, "compare_server_default": True}
    )
    with Operations.context(context):
        for path in MIGRATIONS:
            migration(path).upgrade()
    return context


def test_the_migration_makes_exactly_the_stores_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        assert compare_metadata(migrate(connection), tables.metadata) == []


def test_the_migration_names_every_check_as_the_store_does(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection)
        migrated = _checks(connection)
        with Operations.context(MigrationContext.configure(connection)):
            for path in reversed(MIGRATIONS):
                migration(path).downgrade()
        assert inspect(connection).get_table_names() == []
        tables.metadata.create_all(connection)
        assert _checks(connection) == migrated
        assert sum(len(names) for names in migrated.values()) > 15


def _checks(connection: Connection) -> dict[str, list[str]]:
    found = inspect(connection)
    return {
        table: sorted(f"{check['name']} {check['sqltext']}" for check in found.get_check_constraints(table))
        for table in tables.metadata.tables
    }


def read(**variables: str) -> settings.BillingSettings:
    env = Env(eager=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        read_settings = settings.read(env)
        check(env)
    return read_settings


def test_the_defaults_are_the_charitys_policy() -> None:
    assert read() == POLICY


def test_an_amount_is_changed_without_code() -> None:
    assert read(BILLING_MEMBERSHIP_FEE_PENCE="6000").membership.fee_pence == 60_00


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BILLING_MEMBERSHIP_FEE_PENCE", "0"),
        ("BILLING_MEMBERSHIP_GRACE_DAYS", "181"),
        ("BILLING_MEMBERSHIP_REMINDER_DAYS_BEFORE_LAPSE", "-1"),
        ("BILLING_REFERRAL_FEE_PENCE", "thirty"),
        ("BILLING_HIGHEST_SUBSIDISED_FEE_PENCE", "10000000"),
        ("BILLING_SESSIONS_PER_AWARD", "0"),
        ("BILLING_INVOICE_DAYS", "0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        read(**{name: value})


def test_every_setting_is_documented() -> None:
    source, documented = Path(settings.__file__).read_text(), README.read_text()
    names = set(re.findall(r'"(BILLING_[A-Z_]+)"', source))
    assert len(names) == 11
    assert [name for name in names if f"`{name}`" not in documented] == []


def test_the_bench_runs_what_the_service_lists() -> None:
    assert heard_by(BillingService) == {"inbox": list(HANDLERS)}
    (schedule,) = (one.entrypoint for one in declared_by(BillingService) if isinstance(one.entrypoint, Schedule))
    assert {entry.name: entry.handler for entry in schedule.entries} == TIMERS


def _breaking(bench: Bench, act: Any) -> str:
    with pytest.raises(IntegrityError) as broken, bench.database.unit() as unit:
        act(unit.session)
    return str(broken.value.orig)


def test_a_journal_is_posted_once_for_ever(bench: Bench) -> None:
    fund = bench.open_fund()
    journal = ledger.fund_opened(fund_id=fund.fund_id, pence=1)
    _breaking(bench, lambda session: journals.post(session, journal, id_=new_id(), at=bench.clock.now()))


def test_money_of_a_journal_belongs_to_a_known_therapist(bench: Bench) -> None:
    stranger = ledger.payment_received(payment_id=PaymentId(new_id()), therapist_id=TherapistId(new_id()), pence=1)
    _breaking(bench, lambda session: journals.post(session, stranger, id_=new_id(), at=bench.clock.now()))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE fund SET available_pence = -1, drawn_pence = opened_pence - committed_pence + 1",
        "UPDATE fund SET available_pence = available_pence + 1",
        "UPDATE award SET released_pence = committed_pence + 1",
        "UPDATE award SET sessions_used = sessions + 1",
        "UPDATE invoice SET paid_pence = amount_pence + 1",
        "UPDATE entry SET pence = 0",
    ],
)
def test_the_database_itself_refuses_impossible_money(bench: Bench, change: str) -> None:
    bench.open_fund()
    asked = referral()
    bench.told(asked, assessed(asked.referral_id), matched(asked.referral_id))
    _breaking(bench, lambda session: session.connection().exec_driver_sql(change))


def test_a_referral_has_one_award_alive(bench: Bench) -> None:
    bench.open_fund()
    asked = referral()
    bench.told(asked, assessed(asked.referral_id))
    columns = [column.name for column in tables.metadata.tables["award"].columns if column.name != "id"]
    id_ = f"'{new_id().hex}'" if bench.database.engine.dialect.name == "sqlite" else f"'{new_id()}'::uuid"
    again = f"INSERT INTO award (id, {', '.join(columns)}) SELECT {id_}, {', '.join(columns)} FROM award"
    _breaking(bench, lambda session: session.connection().exec_driver_sql(again))
    with bench.database.unit() as unit:
        unit.session.connection().exec_driver_sql("UPDATE award SET state = 'ended'")
        unit.session.connection().exec_driver_sql(again)


def test_what_is_not_kept_is_not_found(bench: Bench) -> None:
    with bench.database.unit() as unit, pytest.raises(rows.NotFound):
        funds.get_fund(unit.session, FundId(new_id()))
