"""Fixtures that every test may ask for: a real broker, both stores, and a whole running system on each."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from leeward.runtime import local_broker
from leeward.runtime.local_broker import Node
from tests.support import postgresql
from tests.support.postgresql import Server
from tests.support.system import System, whole_system

STORES = ("sqlite", "postgresql")

settings.register_profile("shared machine", deadline=None)  # no test asserts how long something takes
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A private RabbitMQ node for the whole run."""
    started = local_broker.start(tmp_path_factory.mktemp("broker"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A private PostgreSQL server for the whole run; skips where none is installed, unless CI says it must be."""
    binaries = postgresql.find_binaries()
    if binaries is None:
        message = "PostgreSQL is not installed, so this runs on SQLite only (apt-get install postgresql)"
        if os.environ.get("LEEWARD_TESTS_NEED_POSTGRESQL"):
            pytest.fail(message)
        pytest.skip(message)
    with postgresql.server(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def system_on_sqlite(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with whole_system(node, tmp_path_factory.mktemp("system-sqlite"), name="system_sqlite", server=None) as system:
        yield system


@pytest.fixture(scope="session")
def system_on_postgresql(
    node: Node, postgresql_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """It names its server, which is therefore there until it has stopped."""
    folder = tmp_path_factory.mktemp("system-postgresql")
    with whole_system(node, folder, name="system_postgresql", server=postgresql_server) as system:
        yield system


@pytest.fixture(params=STORES)
def system(request: pytest.FixtureRequest) -> System:
    """A whole running system on each store, shared by the tests of a run: use identifiers of your own."""
    started: System = request.getfixturevalue(f"system_on_{request.param}")
    return started
