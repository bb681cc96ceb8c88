"""A broker or a database that is not there yet, or goes away, stops nobody for good."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

import pytest

from chassis.rpc import RpcClient
from leeward.runtime import local_broker
from leeward.runtime.free_ports import free_ports
from leeward.runtime.local_broker import Node
from leeward.runtime.supervisor import wait_until_it_is_ready
from leeward.runtime.workspace import Workspace
from tests.support import postgresql
from tests.support.bus import eventually
from tests.support.postgresql import Server
from tests.support.processes import run_module
from tests.support.system import virtual_host


@contextmanager
def service(
    name: str, amqp_uri: str, http: str, folder: Path, *, server: Server | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """One service as a process of its own, on a migrated store: SQLite, or PostgreSQL that is away when it starts."""
    workspace = Workspace(folder / "var")
    workspace.prepare({name: server.create_database("outage")} if server else None)
    environment = {**workspace.environment(amqp_uri), "LEEWARD_HTTP": http.removeprefix("http://")}
    subprocess.run([sys.executable, "-m", "chassis.store.migrate", name], env=environment, check=True)
    if server:
        server.stop()
    with (folder / "log").open("wb") as log:
        process = run_module("chassis.host.run", name, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_service_waits_for_its_broker_outlives_a_restart_and_ends_in_time_without_one(tmp_path: Path) -> None:
    folder, (port, http_port) = tmp_path / "broker", free_ports(2)
    node = local_broker.start(folder, port=port)
    node.stop()
    log, http = tmp_path / "log", f"http://127.0.0.1:{http_port}"
    with service("matching", node.amqp_uri, http, tmp_path) as process:
        eventually(lambda: b"broker_unreachable" in log.read_bytes(), "it notices that the broker is away")
        node = local_broker.start(folder, port=port)
        assert wait_until_it_is_ready(http, process)
        node.stop()
        eventually(lambda: b"consumer_interrupted" in log.read_bytes(), "it notices that the broker went away")
        node = local_broker.start(folder, port=port)
        assert wait_until_it_is_ready(http, process)
        with RpcClient(node.amqp_uri) as client:
            assert client.call("matching", "count_standings") == []
        node.stop()
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0


@pytest.fixture
def own_server(postgresql_server: Server) -> Iterator[Server]:
    """A PostgreSQL server of its own, because the others' must not be stopped."""
    with postgresql.server(postgresql_server.bin) as server:
        yield server


def test_a_service_waits_for_its_database(own_server: Server, node: Node, tmp_path: Path) -> None:
    (http_port,) = free_ports(1)
    log, http = tmp_path / "log", f"http://127.0.0.1:{http_port}"
    uri = virtual_host(node, "database_away")
    with service("matching", uri, http, tmp_path, server=own_server) as process:
        eventually(lambda: b"store_unreachable" in log.read_bytes(), "it notices that the database is away")
        assert status(f"{http}/health/live") == 200
        assert status(f"{http}/health/ready") == 503
        own_server.start()
        assert wait_until_it_is_ready(http, process)
        with RpcClient(uri) as client:
            assert client.call("matching", "count_standings") == []


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code
