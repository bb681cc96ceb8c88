"""Sweeps over everything: every event is heard by someone, every queue declared once, every migration complete."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from chassis.host.housekeeping import Housekeeping
from chassis.host.load import load
from chassis.host.service import declared_by, heard_by, safe_by_business_key, topology_for
from chassis.store.migrate import migrate
from contracts.catalogue import PUBLISHERS, events
from leeward.workspace import SERVICES
from tests.conftest import STORES

ROOT = Path(__file__).parent.parent.parent
each_service = pytest.mark.parametrize("service", SERVICES)

HEARD_OUTSIDE = {
    "HelpRequestRefused": "by the front-end that sent the submission",
    "TherapistAdmitted": "by consoles, and billing opens no account before the first match",
    "SubsidyReleased": "by consoles",
    "FundOpened": "by consoles",
    "MessageSent": "by consoles",
    "MessageFailed": "by consoles",
    "SafeguardingAlertSent": "by consoles",
    "SafeguardingAlertEscalated": "by consoles",
    "SafeguardingOutcomeRecorded": "by consoles",
    "EvaluationSubmitted": "by consoles and funder reports",
}
"""Events that no service of ours handles, and who does."""


def test_every_event_is_heard_by_a_service_or_by_somebody_named() -> None:
    heard = {event for service in SERVICES for lane in heard_by(load(service)).values() for event in lane}
    unheard = {event.__name__ for event in set(events()) - heard}
    assert unheard <= set(HEARD_OUTSIDE), "write down who hears it"
    assert not {event.__name__ for event in heard} & set(HEARD_OUTSIDE) - {"TherapistAdmitted"}, "it is heard here now"


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
    assert {"health", "story", "audit", "about_subject"} <= {one.attribute for one in declared_by(load(service))}


@each_service
def test_every_service_keeps_its_house(service: str) -> None:
    """Also one that has no timers: its inbox must not grow for ever."""
    assert any(isinstance(one.entrypoint, Housekeeping) for one in declared_by(load(service)))


def test_a_business_key_is_named_in_words() -> None:
    keys = {key for service in SERVICES for key in safe_by_business_key(load(service)).values()}
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
        assert compare_metadata(context, load(service).ports.metadata) == []
    insert = text("INSERT INTO audit_entry VALUES (1, '2026-11-23', 'A. Person', 'read', NULL, NULL, '', '')")
    with engine.begin() as connection:
        connection.execute(insert)
    with pytest.raises(DBAPIError, match="only ever added"), engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_entry"))
    if service == "notifications":
        assert_outcomes_stay(engine)
    engine.dispose()


def assert_outcomes_stay(engine: Engine) -> None:
    insert = text(
        "INSERT INTO concern_outcome VALUES (:id, :id, 'police', 'A. Person', '2026-11-23', :reason)",
    )
    with engine.begin() as connection:
        connection.execute(insert, {"id": str(uuid4()), "reason": b"encrypted"})
    for change in ("DELETE FROM concern_outcome", "UPDATE concern_outcome SET outcome = 'no_further_action'"):
        with pytest.raises(DBAPIError, match="only ever added"), engine.begin() as connection:
            connection.execute(text(change))


@each_service
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
