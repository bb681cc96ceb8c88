from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from leeward.runtime.prefork import ForkedService, PreforkServer
from leeward.runtime.workspace import Workspace
from tests.support.bus import eventually


@pytest.fixture
def prefork_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PreforkServer]:
    with monkeypatch.context() as patch:
        patch.setenv("INTAKE_DATABASE_URL", "sqlite:///of-the-prefork-server.db")
        prefork_server = PreforkServer()
    with closing(prefork_server):
        yield prefork_server


def test_what_it_starts_has_the_environment_and_the_log_that_were_ordered_and_no_others(
    prefork_server: PreforkServer, tmp_path: Path
) -> None:
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    for service, log in zip(("intake", "marketing"), logs, strict=True):
        assert prefork_server.start(service, {"PATH": os.environ["PATH"]}, log).wait(60) == 0
    assert "INTAKE_DATABASE_URL" in logs[0].read_text()
    assert "marketing" in logs[1].read_text()
    assert "marketing" not in logs[0].read_text()


def test_what_has_ended_before_anybody_looked_has_ended() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    process = ForkedService(gone.pid)
    process.send_signal(signal.SIGKILL)
    assert process.poll() == process.wait(0) == 0


def test_what_it_starts_outlives_it_and_is_seen_to_end(prefork_server: PreforkServer, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.prepare()
    nowhere = {"INTAKE_DATABASE_URL": "postgresql+psycopg://127.0.0.1:1/nowhere"}
    log = workspace.log("intake")
    process = prefork_server.start("intake", workspace.environment("amqp://127.0.0.1:1") | nowhere, log)
    prefork_server.close()
    eventually(lambda: "store_unreachable" in log.read_text(), "it waits for its database")
    assert process.poll() is None
    assert os.getsid(process.pid) == process.pid
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == 0
    process.send_signal(signal.SIGKILL)  # of no consequence, and nobody else's
