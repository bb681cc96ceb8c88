"""What a service lets those see who look after it: metrics, health, logs, traces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue
from prometheus_client.parser import text_string_to_metric_families

from chassis.observability import traces
from leeward.runtime.free_ports import free_ports
from leeward.runtime.local_broker import Node
from leeward.runtime.supervisor import wait_until_it_is_ready
from leeward.runtime.workspace import SERVICES, Workspace
from tests.support.bus import eventually
from tests.support.processes import run_module
from tests.support.samples import submission
from tests.support.system import System, http_of, virtual_host, whole_system

EXPECTED = {
    "leeward_handled", "leeward_failed", "leeward_retried", "leeward_parked", "leeward_batch_messages",
    "leeward_handler_seconds", "leeward_outbox_oldest_seconds", "leeward_inbox_oldest_seconds", "leeward_confirms",
    "leeward_gave_way", "leeward_reconnects", "leeward_timers_due",
}  # fmt: skip


def read(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def total(page: str, sample: str) -> float:
    return sum(
        one.value for family in text_string_to_metric_families(page) for one in family.samples if one.name == sample
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_says_that_it_lives_and_is_ready(system: System, service: str) -> None:
    assert read(f"{http_of(system, service)}/health/live") == (200, '{"live": true}')
    status, body = read(f"{http_of(system, service)}/health/ready")
    assert (status, json.loads(body)) == (200, {"ready": True, "waiting_for": [], "needs_a_person": None, "alarms": {}})
    assert read(f"{http_of(system, service)}/elsewhere")[0] == 404


def test_metrics_count_what_happens(system: System) -> None:
    page = f"{http_of(system, 'intake')}/metrics"
    before = read(page)[1]
    assert {family.name for family in text_string_to_metric_families(before)} >= EXPECTED
    handled, confirmed = (total(before, f"leeward_{name}_total") for name in ("handled", "confirms"))
    system.publisher.request_help(submission())
    eventually(lambda: total(read(page)[1], "leeward_handled_total") > handled, "it is counted as handled")
    eventually(lambda: total(read(page)[1], "leeward_confirms_total") > confirmed, "what it led to is confirmed")


def test_the_level_of_the_log_can_be_changed_while_a_service_runs(system: System) -> None:
    process, log = system.supervisor.running["intake"].process, system.workspace.log("intake")

    def settled_lines() -> int:
        return log.read_text().count('"batch_settled"')

    assert settled_lines() == 0
    process.send_signal(signal.SIGUSR1)
    system.publisher.request_help(submission())
    eventually(settled_lines, "what is only for debugging is logged")
    process.send_signal(signal.SIGUSR2)
    quiet = settled_lines()
    handled = total(read(f"{http_of(system, 'intake')}/metrics")[1], "leeward_handled_total")
    system.publisher.request_help(submission())
    eventually(
        lambda: total(read(f"{http_of(system, 'intake')}/metrics")[1], "leeward_handled_total") > handled, "handled"
    )
    assert settled_lines() == quiet


def spans(system: System, service: str) -> list[dict[str, Any]]:
    lines = system.workspace.log(service).read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"name"')]


def test_one_trace_goes_from_the_front_end_to_the_last_hop(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    monkeypatch.setattr(traces, "_tracer", None)
    traces.configure("web")
    with whole_system(node, tmp_path, name="traced", server=None) as system:
        system.publisher.request_help(submission())
        (received,) = eventually(lambda: spans(system, "intake"), "intake's span")
        assert received["name"] == "process HelpRequested"
        assert received["parent_id"], "it begins at the front-end"
        for service in ("matching", "billing", "evaluation"):
            (span,) = eventually(lambda service=service: spans(system, service), f"{service}'s span")
            assert span["context"]["trace_id"] == received["context"]["trace_id"]
            assert span["parent_id"] == received["context"]["span_id"]


def test_without_an_exporter_tracing_is_not_even_loaded() -> None:
    loaded = "print('opentelemetry' in sys.modules)"
    script = f"import sys; from chassis.observability import traces; traces.configure('x'); {loaded}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_queue_of_another_shape_is_one_clear_error_and_not_ready(node: Node, tmp_path: Path) -> None:
    amqp_uri = virtual_host(node, "mismatch")
    with Connection(amqp_uri) as connection:
        Queue("matching.inbox", durable=True)(connection.channel()).declare()
    workspace, http = Workspace(tmp_path / "var"), f"127.0.0.1:{free_ports(1)[0]}"
    workspace.prepare()
    environment = {**workspace.environment(amqp_uri), "LEEWARD_HTTP": http}
    subprocess.run([sys.executable, "-m", "chassis.store.migrate", "matching"], env=environment, check=True)
    with (tmp_path / "log").open("wb") as log:
        process = run_module("chassis.host.run", "matching", env=environment, stdout=log, stderr=log)
    try:
        assert not wait_until_it_is_ready(f"http://{http}", process)
        status, body = read(f"http://{http}/health/ready")
        assert status == 503
        assert "queue matching.inbox exists" in json.loads(body)["needs_a_person"]
        assert read(f"http://{http}/health/live")[0] == 200
        assert (tmp_path / "log").read_text().count("matching can't start") == 1
    finally:
        process.terminate()
        assert process.wait(30) == 78
