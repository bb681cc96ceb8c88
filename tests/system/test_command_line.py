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

from leeward.runtime.restarts import FLAPS_AT
from leeward.runtime.workspace import SERVICES
from tests.support.bus import eventually
from tests.support.processes import is_alive, processes_that_mention, run_module

LEEWARD = [sys.executable, "-m", "leeward.cli"]


def leeward(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LEEWARD, *arguments],
        env={**without_broker(), "COLUMNS": "200", **environment},  # no line is broken, whatever runs the tests
        capture_output=True,
        text=True,
        timeout=120,
    )


def without_broker() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "AMQP_URI"}


class Up:
    """`leeward up`, as a person has it running in another terminal."""

    def __init__(self, var: Path) -> None:
        self.var, self.output = var, var.parent / "output"
        self.start()

    def start(self) -> None:
        with self.output.open("wb") as log:
            command = ("leeward.cli", "up", "--var", str(self.var))
            self.process = run_module(*command, env=without_broker(), stdout=log, stderr=log)
        eventually(lambda: self.said("Running.") or self.process.poll() is not None, "it runs", 90)
        assert self.process.poll() is None, self.output.read_text()

    def said(self, words: str) -> int:
        """How often."""
        return self.output.read_text().count(words)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(tmp_path_factory.mktemp("up") / "var")
    yield started
    started.stop()


def run_file(var: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((var / "run.json").read_text())
    return content


def test_machines_find_out_what_runs_where(up: Up) -> None:
    var, process = up.var, up.process
    found = run_file(var)
    assert found["pid"] == process.pid
    assert found["amqp_uri"].startswith("amqp://")
    for service in SERVICES:
        assert is_alive(found["services"][service]["pid"])
        assert found["services"][service]["store"].startswith("sqlite:///")


def test_status_tells_of_every_service(up: Up) -> None:
    done = leeward("status", "--var", str(up.var), "--json")
    assert done.returncode == 0, done.stderr
    states = {state["service"]: state for state in json.loads(done.stdout)}
    site = states.pop("site")
    assert (site["up"], site["address"]) == (True, run_file(up.var)["web"])
    assert set(states) == set(SERVICES)
    for state in states.values():
        assert state["up"]
        told = {"inbox_depth", "oldest_message_seconds", "outbox_lag_seconds", "dead_letters"}
        assert told <= set(state)


def test_a_service_that_dies_is_seen_and_started_again(up: Up) -> None:
    var = up.var
    before = run_file(var)["services"]["matching"]
    os.kill(before["pid"], signal.SIGKILL)
    eventually(lambda: run_file(var)["services"]["matching"]["pid"] != before["pid"], "it was started again")
    eventually(lambda: leeward("status", "--var", str(var)).returncode == 0, "everything is up again", 60)


def test_the_public_site_is_opened_and_started_again(up: Up) -> None:
    var = up.var
    before = run_file(var)
    with urllib.request.urlopen(before["web"]) as page:
        assert b"Ask for help" in page.read()
    os.kill(before["site"]["pid"], signal.SIGKILL)
    eventually(lambda: run_file(var)["site"]["pid"] != before["site"]["pid"], "it was started again")
    eventually(lambda: leeward("status", "--var", str(var)).returncode == 0, "everything is up again", 60)


def test_a_second_one_is_not_started_in_the_same_folder(up: Up) -> None:
    done = leeward("up", "--var", str(up.var))
    assert done.returncode == 1
    assert "already" in done.stderr
    assert f"kill {up.process.pid}" in done.stderr


def test_a_broker_that_dies_is_started_again_at_the_same_address(up: Up) -> None:
    before, address = broker_group(up.var), run_file(up.var)["amqp_uri"]
    os.killpg(before, signal.SIGKILL)
    eventually(lambda: broker_group(up.var) not in (0, before), "another broker runs", 60)
    eventually(lambda: leeward("status", "--var", str(up.var)).returncode == 0, "everything is connected again", 90)
    assert run_file(up.var)["amqp_uri"] == address
    assert up.said("The broker ended and is started again") == 1


def test_a_prefork_server_that_dies_is_opened_again_and_what_it_forked_goes_on(up: Up) -> None:
    billing = run_file(up.var)["services"]["billing"]["pid"]
    os.kill(parent_of(billing), signal.SIGKILL)
    eventually(lambda: up.said("services are forked from ended and is opened again"), "it is said")
    assert is_alive(billing)
    os.kill(billing, signal.SIGKILL)
    eventually(
        lambda: run_file(up.var)["services"]["billing"]["pid"] != billing, "a service is forked from the new one"
    )
    eventually(lambda: leeward("status", "--var", str(up.var)).returncode == 0, "everything is up again", 60)


def test_a_service_that_flaps_and_an_audit_log_that_was_cut_are_seen(up: Up) -> None:
    (up.var / "anchors").mkdir(exist_ok=True)
    anchors = up.var / "anchors" / "evaluation.jsonl"
    anchors.write_text(json.dumps({"sequence": 3, "hash": "a" * 64}) + "\n")  # of entries that aren't there any more
    for _ in range(FLAPS_AT):
        pid = run_file(up.var)["services"]["evaluation"]["pid"]
        os.kill(pid, signal.SIGKILL)
        eventually(lambda pid=pid: run_file(up.var)["services"]["evaluation"]["pid"] != pid, "it is started again", 60)
    assert up.said("evaluation ended and is started again") == 1, "why is said once, not at every restart"

    def alarmed() -> Any:
        (state,) = (one for one in json.loads(status("--json").stdout) if one["service"] == "evaluation")
        return state if state["alarms"] else None

    def status(*options: str) -> subprocess.CompletedProcess[str]:
        done = leeward("status", "--var", str(up.var), *options)
        assert done.returncode == 1
        return done

    state = eventually(alarmed, "the service shouts", 60)
    assert (state["up"], state["flaps"], state["recent_restarts"]) == (True, True, FLAPS_AT)
    assert state["alarms"] == {"audit_contradicts_anchor": 1}
    assert "flaps: 3 restarts in 10 min" in status().stdout
    assert "evaluation: 1 anchor(s) that the audit log contradicts" in status().stdout
    verified = leeward("audit", "verify", "--var", str(up.var))
    assert verified.returncode == 1
    assert "it was cut off: 3 entries were anchored" in verified.stdout
    anchors.write_text("no anchor\n")
    verified = leeward("audit", "verify", "--var", str(up.var))
    assert verified.returncode == 1
    assert "evaluation.jsonl, line 1, is no anchor" in verified.stdout
    anchors.unlink()


def test_what_is_killed_hard_leaves_nothing_behind_and_a_second_one_just_works(up: Up) -> None:
    told = run_file(up.var)
    prefork_server = parent_of(told["services"]["evaluation"]["pid"])
    pids = [prefork_server, *(one["pid"] for one in (*told["services"].values(), told["site"]))]
    group = broker_group(up.var)
    up.process.kill()
    up.process.wait()
    up.start()
    assert [pid for pid in pids if is_alive(pid)] == []
    assert broker_group(up.var) != group
    assert len([one for one in processes_that_mention(str(up.var / "broker")) if "beam" in one]) == 1
    assert leeward("status", "--var", str(up.var)).returncode == 0


def test_ctrl_c_leaves_no_process_behind(up: Up) -> None:
    told = run_file(up.var)
    pids = [one["pid"] for one in (*told["services"].values(), told["site"])]
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(60) == 0
    assert [pid for pid in pids if is_alive(pid)] == []
    assert processes_that_mention(str(up.var / "broker")) == []
    assert not (up.var / "run.json").exists()


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
    environment = {"AMQP_URI": "amqp://nobody", "BILLING_DATABASE_URL": f"sqlite:///{tmp_path}/empty.db"}
    command = [sys.executable, "-m", "chassis.host.run", "billing"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert "leeward migrate billing" in done.stderr


def test_there_is_no_such_service() -> None:
    command = [sys.executable, "-m", "chassis.host.run", "marketing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert "there is no service 'marketing'" in done.stderr


def broker_group(var: Path) -> int:
    """The process group of the broker that holds the folder's lock; 0 while none does."""
    try:
        return int(json.loads((var / "broker" / "lock").read_text())["group"])
    except (ValueError, KeyError):
        return 0


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
