"""Sweeps over everything: every event is heard by someone, every queue declared once, every migration complete."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from chassis.host.entrypoints import declared_by, heard_by, idempotent_by, topology_for
from chassis.host.maintenance import Housekeeping
from chassis.host.service_loader import load
from chassis.store.migrate import migrate
from contracts.catalogue import PUBLISHERS, events
from leeward.runtime.workspace import SERVICES
from leeward.subject_access.gathering import HOLDERS
from tests.conftest import STORES

ROOT = Path(__file__).parent.parent.parent
each_service = pytest.mark.parametrize("service", SERVICES)

HEARD_OUTSIDE = {
    "ReferralAssigned": "by whoever listens, and by the console itself before it says so",
    "ListChanged": "by the staff's pages",
}
"""Events that no service of ours handles, and who does."""


def test_every_event_is_heard_by_a_service_or_by_somebody_named() -> None:
    heard = {event for service in SERVICES for lane in heard_by(load(service)).values() for event in lane}
    unheard = {event.__name__ for event in set(events()) - heard}
    assert unheard <= set(HEARD_OUTSIDE), "write down who hears it"
    assert not {event.__name__ for event in heard} & set(HEARD_OUTSIDE), "it is heard here now"


def test_every_queue_and_retry_exchange_is_declared_by_one_service() -> None:
    queues = Counter(queue.name for service in SERVICES for queue in topology_for(load(service)).queues)
    assert set(queues.values()) == {1}


@each_service
def test_a_service_hears_nothing_of_its_own(service: str) -> None:
    publishers = {event.publisher for lane in heard_by(load(service)).values() for event in lane}
    assert service not in publishers
    assert publishers <= set(PUBLISHERS)


@each_service
def test_every_service_can_be_asked_how_it_is_what_it_remembers_and_what_it_holds(service: str) -> None:
    letters = {f"{what}_dead_letters" for what in ("list", "show", "export", "replay", "discard")}
    asked = {"health", "story", "audit", "list_audit", "list_own_audit", "list_secret_keys", *letters} | (
        {"about_subject"} if service in HOLDERS else set()
    )
    assert asked <= {one.attribute for one in declared_by(load(service))}


@each_service
def test_every_service_keeps_its_house(service: str) -> None:
    """Also one that has no timers: its inbox must not grow for ever."""
    assert any(isinstance(one.entrypoint, Housekeeping) for one in declared_by(load(service)))


def test_a_business_key_is_named_in_words() -> None:
    keys = {key for service in SERVICES for key in idempotent_by(load(service)).values()}
    assert [key for key in keys if len(key) < len("match_id")] == []


@each_service
@pytest.mark.parametrize("store", STORES)
def test_the_migrations_make_exactly_the_tables_of_the_store(
    service: str, store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/migrated.db"
    if store == "postgresql":
        url = request.getfixturevalue("postgresql_server").create_database(f"migrated_{service}")
    migrate(service, url)
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, load(service).chassis.metadata) == []
    with engine.begin() as connection:
        connection.execute(AUDIT_ENTRY)
    assert_nothing_changes(engine, "audit_entry")
    engine.dispose()


AUDIT_ENTRY = text("INSERT INTO audit_entry VALUES (1, '2026-11-23', 'A. Person', 'read', NULL, NULL, '', '')")
BEFORE = {
    "console": "0001",
    "intake": "0007",
    "matching": "0005",
    "billing": "0004",
    "notifications": "0006",
    "evaluation": "0004",
}
"""Each service's revision before its tables refused to be replaced."""

ROWS: Mapping[str, Mapping[str, str]] = {
    "intake": {
        "referral_step": "INSERT INTO referral_step VALUES"
        " (:id, 1, 'receive', 'received', '2026-11-23', 'rule', NULL, NULL)"
    },
    "notifications": {
        "concern_outcome": "INSERT INTO concern_outcome VALUES (:id, :id, 'police', 'A. Person', '2026-11-23', '\\x00')"
    },
}
"""A row of every table besides the audit log that is only ever added to."""


@each_service
@pytest.mark.parametrize("store", STORES)
def test_what_is_only_ever_added_to_is_so_in_a_database_of_before_too(
    service: str, store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/before.db"
    if store == "postgresql":
        url = request.getfixturevalue("postgresql_server").create_database(f"before_{service}")
    migrate(service, url, to=BEFORE[service])
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(AUDIT_ENTRY)
        for table, insert in ROWS.get(service, {}).items():
            if store == "postgresql":
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))  # for want of what it refers to
            connection.execute(text(insert), {"id": str(uuid4())})
            if store == "postgresql":
                connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))
    migrate(service, url)
    for table in ("audit_entry", *ROWS.get(service, {})):
        assert_nothing_changes(engine, table)
    engine.dispose()


def assert_nothing_changes(engine: Engine, table: str) -> None:
    """By whatever key a row may be replaced, SQLite's own number of it included."""
    columns = [column["name"] for column in inspect(engine).get_columns(table)]
    keys: list[Any] = [inspect(engine).get_pk_constraint(table)["constrained_columns"]]
    keys += [one["column_names"] for one in inspect(engine).get_unique_constraints(table)]
    keys += [one["column_names"] for one in inspect(engine).get_indexes(table) if one["unique"]]
    changes = [f"DELETE FROM {table}", f"UPDATE {table} SET {columns[0]} = {columns[0]}"]
    if engine.dialect.name == "postgresql":
        changes += [f"TRUNCATE {table}"]
    for key in keys:
        same = f"INSERT INTO {table} SELECT * FROM {table} WHERE true"
        changes += [f"{same} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {columns[0]} = excluded.{columns[0]}"]
    if engine.dialect.name == "sqlite":
        changes += [f"REPLACE INTO {table} ({', '.join(columns)}) SELECT * FROM {table}"]
        others = ", ".join(f"'x' || {name}" if name in keys[0] else name for name in columns)
        if keys[0] != ["sequence"]:  # which is the rowid itself
            changes += [f"REPLACE INTO {table} (rowid, {', '.join(columns)}) SELECT rowid, {others} FROM {table}"]
    for change in changes:
        with pytest.raises(DBAPIError, match="only ever added"), engine.begin() as connection:
            connection.execute(text(change))


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "console"])  # it has none
def test_every_setting_is_documented(service: str) -> None:
    readme = (ROOT / "services" / service / "README.md").read_text()
    source = (ROOT / "services" / service / "settings.py").read_text()
    named = set(re.findall(rf'"({service.upper()}_[A-Z_]+)"', source))
    assert named, "the settings were found"
    assert {name for name in named if name not in readme} == set()


@each_service
def test_the_readme_says_what_is_heard(service: str) -> None:
    readme = (ROOT / "services" / service / "README.md").read_text()
    for lane in heard_by(load(service)).values():
        assert [event.__name__ for event in lane if event.__name__ not in readme] == []


def test_no_file_is_too_long_to_read() -> None:
    too_long: list[Any] = []
    for folder in ("contracts", "chassis", "services", "web", "leeward", "tests", "scripts"):
        for path in (ROOT / folder).rglob("*.py"):
            lines = len(path.read_text().splitlines())
            if lines > 600:
                too_long.append((str(path.relative_to(ROOT)), lines))
    assert too_long == []


DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *ROOT.glob("services/*/README.md"),
    ROOT / "chassis/README.md",
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_what_a_document_names_is_there(document: Path) -> None:
    """Files by their path from the top or from the document; what is a pattern or a placeholder is left out."""
    named = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|md|toml|json|html|css|sh|yaml))`", document.read_text()))
    linked = {
        path for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()) if not path.startswith("http")
    }
    if document.name == "CHANGELOG.md":
        named = set()  # it says what was where at the time
    assert {path for path in named | linked if not any((at / path).exists() for at in (ROOT, document.parent))} == set()
