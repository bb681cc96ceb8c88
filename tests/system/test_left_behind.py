"""What was started by a process that is killed goes too, and nothing runs twice on one folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leeward.runtime import local_broker, processes
from leeward.runtime.local_broker import FolderInUse, Node
from leeward.runtime.processes import FolderLocked, guarded, is_same, lock_folder, started_at, write_holder
from leeward.runtime.supervisor import AlreadyRunning, refuse_if_running
from leeward.runtime.workspace import Workspace
from tests.support.bus import eventually
from tests.support.processes import is_alive, processes_that_mention, run_module

ROOT = Path(__file__).parent.parent.parent
HANGING = """
import sys
import time
from pathlib import Path

from tests.support.processes import run_module


def test_hangs(node, postgresql_server) -> None:
    service = run_module("leeward.cli", "events", "tail", env={"AMQP_URI": node.amqp_uri})
    Path("@").write_text(f"{node.folder}\\n{postgresql_server.folder}\\n{service.pid}")
    time.sleep(600)
"""


def test_a_test_run_that_is_killed_leaves_no_broker_no_database_and_no_service(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("postgresql_server")  # or it skips
    told = tmp_path / "told"
    (tmp_path / "test_hanging.py").write_text(HANGING.replace("@", str(told)))
    with (tmp_path / "log").open("wb") as log:
        run = ("pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path / "test_hanging.py"))
        pytest_run = run_module(*run, cwd=ROOT, stdout=log, stderr=log)
    eventually(lambda: told.exists() or pytest_run.poll() is not None, "it hangs", 90)
    node, database, service = eventually(told.read_text, "it has told").splitlines()
    assert processes_that_mention(node)
    assert processes_that_mention(database)
    assert is_alive(int(service))
    pytest_run.kill()
    pytest_run.wait()
    eventually(lambda: not processes_that_mention(node), "the broker is gone")
    eventually(lambda: not processes_that_mention(database), "the database server is gone")
    eventually(lambda: not is_alive(int(service)), "the service is gone")


def a_program(folder: Path, script: str, **options: int) -> subprocess.Popen[bytes]:
    """A shell that is guarded."""
    given = {"patience_seconds": 30, **options}
    return guarded(["sh", "-c", script], environment=os.environ, folder=folder, output=folder / "log", **given)


def test_a_program_that_does_not_end_when_it_is_asked_to_is_killed_and_all_that_it_started(tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; echo ready; sh -c 'trap \"\" TERM; while :; do sleep 0.1; done; : {tmp_path}'"
    program = a_program(tmp_path, stubborn, patience_seconds=1)
    eventually(lambda: "ready" in (tmp_path / "log").read_text(), "it runs")
    assert program.stdin
    program.stdin.close()
    assert program.wait(30) == -signal.SIGKILL
    eventually(lambda: not processes_that_mention(f": {tmp_path}"), "nothing is left")


def test_a_program_that_ends_by_itself_is_seen_to_and_with_what_code(tmp_path: Path) -> None:
    assert a_program(tmp_path, "exit 7").wait(30) == 7


def test_a_folder_is_held_by_whoever_has_inherited_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ENDS_WITHIN_SECONDS", 0.2)
    with lock_folder(tmp_path) as lock:
        heir = subprocess.Popen(["sleep", "600"], pass_fds=(lock.fileno(),), start_new_session=True)
        write_holder(lock, group=str(heir.pid))
    try:
        with pytest.raises(FolderLocked) as held:
            lock_folder(tmp_path)
        assert held.value.holder["group"] == str(heir.pid)
    finally:
        heir.kill()
        heir.wait()
    lock_folder(tmp_path).close()


@pytest.mark.parametrize("proc", ["/proc", "/nowhere"], ids=["as Linux tells", "as ps tells"])
def test_a_process_is_known_again_by_when_it_was_started(proc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PROC", Path(proc))
    program = subprocess.Popen(["sleep", "600"])
    started = started_at(program.pid)
    assert is_same(program.pid, started)
    assert not is_same(program.pid, "at another time")
    program.kill()
    program.wait()
    assert not is_same(program.pid, started)
    assert not is_same(program.pid, started_at(program.pid)), "what isn't there is no process"


def test_a_second_broker_on_a_folder_is_refused_by_name(node: Node) -> None:
    begin = "from leeward.runtime import local_broker; local_broker.begin"
    script = f"from pathlib import Path; {begin}(Path({str(node.folder)!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"process {os.getpid()} started it and ends it: kill {os.getpid()}" in done.stderr
    assert not node.has_ended()


@pytest.mark.parametrize("is_left", [True, False])
def test_what_was_left_behind_on_a_folder_is_named_with_what_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_left: bool
) -> None:
    monkeypatch.setattr(processes, "ENDS_WITHIN_SECONDS", 0.2)
    with lock_folder(tmp_path) as lock:
        heir = subprocess.Popen(["sleep", "600"], pass_fds=(lock.fileno(),), start_new_session=True)
        write_holder(lock, group=str(heir.pid))
    if is_left:
        told = json.loads((tmp_path / "lock").read_text())
        (tmp_path / "lock").write_text(json.dumps(told | {"started": "long ago"}))
    try:
        with pytest.raises(FolderInUse) as refused:
            local_broker.begin(tmp_path)
        advice = str(refused.value).rpartition(": ")[2]
        if is_left:
            subprocess.run(advice, shell=True, check=True)
            assert heir.wait(30) == -signal.SIGKILL
        else:
            assert advice == f"kill {os.getpid()}"
    finally:
        heir.kill()
        heir.wait()


def test_services_that_were_left_behind_are_waited_for_and_then_named_with_what_ends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "ENDS_WITHIN_SECONDS", 0.2)
    workspace, said = Workspace(tmp_path), list[str]()
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "leeward"])
    stranger = subprocess.Popen(["sleep", "600"])
    services = {"intake": {"pid": left.pid}, "matching": {"pid": stranger.pid}}
    workspace.write_run_file(
        {"amqp_uri": "amqp://nowhere", "pid": stranger.pid, "started": "at another time", "services": services}
    )
    try:
        with pytest.raises(AlreadyRunning) as refused:
            refuse_if_running(workspace, say=said.append)
        advice = str(refused.value).rpartition(": ")[2]
        assert advice == f"kill -9 {left.pid}", "nobody is told to kill a stranger"
        assert len(said) == 1
        subprocess.run(advice, shell=True, check=True)
        left.wait()
        refuse_if_running(workspace)
    finally:
        for process in (left, stranger):
            process.kill()
            process.wait()
