"""The command line tool as a person or a script meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leeward.workspace import SERVICES
from tests.support.bus import eventually

LEEWARD = [sys.executable, "-m", "leeward.cli"]


def leeward(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LEEWARD, *arguments],
        env={**without_broker(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def without_broker() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "AMQP_URI"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """`leeward up`, as a person has it running in another terminal."""
    var = tmp_path_factory.mktemp("up") / "var"
    output = var.parent / "output"
    with (
        output.open("wb") as log,
        subprocess.Popen([*LEEWARD, "up", "--var", str(var)], env=without_broker(), stdout=log, stderr=log) as process,
    ):
        try:
            eventually(lambda: b"Running." in output.read_bytes() or process.poll() is not None, "it runs", 90)
            assert process.poll() is None, output.read_text()
            yield var, process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(60)


def run_file(var: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((var / "run.json").read_text())
    return content


def test_machines_find_out_what_runs_where(running: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, process = running
    found = run_file(var)
    assert found["pid"] == process.pid
    assert found["amqp_uri"].startswith("amqp://")
    for service in SERVICES:
        assert is_alive(found["services"][service]["pid"])
        assert found["services"][service]["store"].startswith("sqlite:///")


def test_status_tells_of_every_service(running: tuple[Path, subprocess.Popen[bytes]]) -> None:
    done = leeward("status", "--var", str(running[0]), "--json")
    assert done.returncode == 0, done.stderr
    states = {state["service"]: state for state in json.loads(done.stdout)}
    site = states.pop("site")
    assert (site["up"], site["address"]) == (True, run_file(running[0])["web"])
    assert set(states) == set(SERVICES)
    for state in states.values():
        assert state["up"]
        told = {"inbox_depth", "oldest_message_seconds", "outbox_lag_seconds", "dead_letters"}
        assert told <= set(state)


def test_a_service_that_dies_is_seen_and_started_again(running: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, _ = running
    before = run_file(var)["services"]["matching"]
    os.kill(before["pid"], signal.SIGKILL)
    eventually(lambda: run_file(var)["services"]["matching"]["pid"] != before["pid"], "it was started again")
    eventually(lambda: leeward("status", "--var", str(var)).returncode == 0, "everything is up again", 60)


def test_the_public_site_is_opened_and_started_again(running: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, _ = running
    before = run_file(var)
    with urllib.request.urlopen(before["web"]) as page:
        assert b"Ask for help" in page.read()
    os.kill(before["site"]["pid"], signal.SIGKILL)
    eventually(lambda: run_file(var)["site"]["pid"] != before["site"]["pid"], "it was started again")
    eventually(lambda: leeward("status", "--var", str(var)).returncode == 0, "everything is up again", 60)


def test_a_second_one_is_not_started_in_the_same_folder(running: tuple[Path, subprocess.Popen[bytes]]) -> None:
    done = leeward("up", "--var", str(running[0]))
    assert done.returncode == 1
    assert "already" in done.stderr


def test_ctrl_c_leaves_no_process_behind(running: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, process = running
    told = run_file(var)
    pids = [one["pid"] for one in (*told["services"].values(), told["site"])]
    broker_folder = str(var / "broker")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert [pid for pid in pids if is_alive(pid)] == []
    assert processes_that_mention(broker_folder) == []
    assert not (var / "run.json").exists()


def test_status_of_nothing_says_what_to_do(tmp_path: Path) -> None:
    done = leeward("status", "--var", str(tmp_path))
    assert done.returncode == 2
    assert "leeward up" in done.stderr


def test_a_spreadsheet_with_mistakes_is_refused_by_line_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    lines = (Path(__file__).parent.parent.parent / "samples" / "requests.csv").read_text().splitlines()
    path.write_text("\n".join([*lines[:3], lines[3].replace("yes", "perhaps"), lines[4]]) + "\n")
    done = leeward("demo", "--from", str(path))
    assert done.returncode == 1
    assert "line 4, column" in done.stderr
    assert "Starting" not in done.stdout


def test_a_service_without_its_settings_names_them_and_ends(tmp_path: Path) -> None:
    environment = {name: value for name, value in without_broker().items() if not name.startswith("LEEWARD_")}
    command = [sys.executable, "-m", "chassis.host.run", "intake"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    for name in ("AMQP_URI", "INTAKE_DATABASE_URL", "INTAKE_MASTER_KEY", "LEEWARD_KEYS"):
        assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_service_whose_database_was_not_migrated_says_so_and_ends(tmp_path: Path) -> None:
    environment = {"AMQP_URI": "amqp://nobody", "MATCHING_DATABASE_URL": f"sqlite:///{tmp_path}/empty.db"}
    command = [sys.executable, "-m", "chassis.host.run", "matching"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert "leeward migrate matching" in done.stderr


def test_there_is_no_such_service() -> None:
    command = [sys.executable, "-m", "chassis.host.run", "marketing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert "there is no service 'marketing'" in done.stderr


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def processes_that_mention(words: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words in command:
            found.append(command)
    return found
