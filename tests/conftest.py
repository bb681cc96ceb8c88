"""Fixtures that every test may ask for: a real broker, both stores, and a whole running system on each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

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
def systems(
    node: Node, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, System]]:
    """The running systems by store, filled as they are asked for, so that each is started once."""
    with ExitStack() as stack:
        request.session.stash[_STACK] = stack
        yield {}


_STACK = pytest.StashKey[ExitStack]()


@pytest.fixture(params=STORES)
def system(
    request: pytest.FixtureRequest,
    node: Node,
    systems: dict[str, System],
    tmp_path_factory: pytest.TempPathFactory,
) -> System:
    """A whole running system on each store, shared by the tests of a run: use identifiers of your own."""
    store: str = request.param
    if store not in systems:
        server = request.getfixturevalue("postgresql_server") if store == "postgresql" else None
        folder: Path = tmp_path_factory.mktemp(f"system-{store}")
        started = whole_system(node, folder, name=f"system_{store}", server=server)
        systems[store] = request.session.stash[_STACK].enter_context(started)
    return systems[store]
