"""The promises to programs that know nothing of ours: names, formats and guarantees as the documents give them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from contracts.reference import reference_for
from tests.support.bus import Sender, Tap, eventually
from tests.support.processes import run_module
from tests.support.samples import submission
from tests.support.system import System

STOCK_SERVICE = """
    from nameko.events import event_handler, EventDispatcher
    from nameko.rpc import rpc

    class Listener:
        name = "outside_listener"

        @event_handler("intake", "ReferralReceived")
        def note(self, event):
            with open({output!r}, "a") as file:
                print(event["referral_id"], file=file, flush=True)
"""


def test_a_plain_pika_consumer_hears_a_referral(system: System) -> None:
    with Tap(system.amqp_uri, ["intake"]) as tap:
        receipt = system.publisher.request_help(submission())
        heard = tap.wait_for("ReferralReceived", lambda one: one.headers["correlationid"] == str(receipt.submission_id))
    assert heard.content_type == "application/json"
    assert heard.headers["cloudEvents_specversion"] == "1.0"
    assert heard.headers["cloudEvents_source"] == "/leeward/intake"
    assert heard.headers["cloudEvents_type"] == "ReferralReceived"
    assert heard.headers["cloudEvents_subject"] == heard.data["referral_id"]
    assert heard.headers["cloudEvents_id"] == heard.message_id
    assert heard.headers["cloudEvents_dataschema"] == "urn:leeward:intake:ReferralReceived:1"
    assert heard.headers["cloudEvents_sequence"] == 3  # its first step, and how to reach them, were said before
    assert heard.headers["causationid"] == str(receipt.submission_id)
    assert (heard.data["outward_code"], heard.data["police_force_area"]) == ("NP20", "gwent")


def test_a_plain_pika_publisher_can_send_a_request(system: System) -> None:
    """Exactly what `web/publisher/README.md` tells the authors of other languages to do."""
    submission_id = uuid4()
    body = {
        "submission_id": str(submission_id),
        "form": "help",
        "form_version": 1,
        "sealed": system.keyring.seal("intake", submission()),
    }
    with Tap(system.amqp_uri, ["intake"]) as tap, Sender(system.amqp_uri) as sender:
        sender.send("web.events", "HelpRequested", body, message_id=str(submission_id))
        tap.wait_for("ReferralReceived", lambda one: one.headers["correlationid"] == str(submission_id))
    found = system.rpc.call("intake", "find_referral", reference=reference_for(submission_id))
    assert found["state"] == "received"


def test_a_plain_nameko_service_handles_our_events(system: System, tmp_path: Path) -> None:
    output = tmp_path / "heard"
    with stock_service(system, tmp_path, output):
        receipt = system.publisher.request_help(submission())
        reference = receipt.reference
        heard = eventually(lambda: output.exists() and output.read_text().split(), "the nameko service heard an event")
    found = system.rpc.call("intake", "find_referral", reference=reference)
    assert found["referral_id"] in heard


def test_a_plain_nameko_client_can_give_a_command(system: System) -> None:
    script = """
        import json, sys
        from nameko.standalone.rpc import ClusterRpcProxy
        with ClusterRpcProxy({"AMQP_URI": sys.argv[1]}, timeout=10) as cluster:
            print(json.dumps(cluster.intake.count_referrals()))
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), system.amqp_uri]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert isinstance(answer, list)


def test_the_other_spelling_of_cloudevents_headers_is_read(system: System) -> None:
    submission_id = uuid4()
    body = {
        "submission_id": str(submission_id),
        "form": "help",
        "form_version": 1,
        "sealed": system.keyring.seal("intake", submission()),
    }
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": str(submission_id),
        "cloudEvents:source": "/elsewhere/web",
        "cloudEvents:type": "HelpRequested",
    }
    with Tap(system.amqp_uri, ["intake"]) as tap, Sender(system.amqp_uri) as sender:
        sender.send("web.events", "HelpRequested", body, headers=headers)
        heard = tap.wait_for("ReferralReceived", lambda one: one.headers["causationid"] == str(submission_id))
    assert UUID(heard.data["referral_id"])


@contextmanager
def stock_service(system: System, folder: Path, output: Path) -> Iterator[None]:
    """Runs a nameko service as nameko's own documentation does, from a folder that holds nothing else."""
    (folder / "outside.py").write_text(textwrap.dedent(STOCK_SERVICE.format(output=str(output))))
    run, quiet = ("nameko", "run", "outside", "--broker", system.amqp_uri), {**os.environ, "PYTHONWARNINGS": "ignore"}
    queue = "evt-intake-ReferralReceived--outside_listener.note"
    with (folder / "log").open("wb") as log, run_module(*run, env=quiet, cwd=folder, stdout=log, stderr=log) as process:
        try:
            with Sender(system.amqp_uri) as sender:
                eventually(lambda: _has_consumer(sender, queue), f"nameko listens: {folder / 'log'}")
            yield
        finally:
            process.terminate()


def _has_consumer(sender: Sender, queue: str) -> bool:
    return sender.consumers(queue) > 0
