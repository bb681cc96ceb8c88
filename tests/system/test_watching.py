"""Watching what goes on: live traffic, and a referral's whole story."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from chassis.ids import new_id
from contracts.catalogue import PUBLISHERS
from leeward.cli import app
from leeward.runtime.supervisor import wait_until_it_is_ready
from leeward.runtime.workspace import SERVICES
from tests.support.bus import Sender, Tap, eventually
from tests.support.processes import run_module
from tests.support.story import Story
from tests.support.system import System, http_of


def said_of(system: System, *arguments: str) -> Result:
    env = {"AMQP_URI": system.amqp_uri, "COLUMNS": "160"}
    return CliRunner().invoke(app, ["trace", *arguments, "--var", str(system.workspace.folder)], env=env)


def trace(system: System, *arguments: str) -> tuple[int, Any]:
    done = said_of(system, *arguments, "--json")
    return done.exit_code, json.loads(done.stdout) if done.stdout else done.stderr


def matched_story(system: System, tap: Tap) -> Story:
    story = Story(system, tap)
    story.admit_therapist()
    story.ask_for_help()
    story.assess()
    story.accept()
    for name in ("ReferralFeeCharged", "ContactReleased", "EvaluationInvited"):
        story.heard(name)
    return story


def test_a_trace_tells_the_whole_story_in_order(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = matched_story(system, tap)
        tap.listen(1.0)
    heard = {str(one.message_id) for one in tap.heard if one.data.get("referral_id") == story.referral_id}
    assert story.receipt.reference

    def told() -> Any:
        code, found = trace(system, str(story.receipt.reference))
        assert code == 0, found
        matched = next(step for step in found["steps"] if step["event"] == "TherapistMatched")
        who = {one["service"] for one in matched["handled"]}
        return found if who == {*SERVICES} - {"matching"} else None

    found = eventually(told, "everybody has handled the match")
    steps = {step["id"]: step for step in found["steps"]}
    assert heard == {id_ for id_, step in steps.items() if step["referral_id"] == story.referral_id}
    assert found["steps"][0]["event"] == "(from outside)"
    assert [step["at"] for step in found["steps"]] == sorted(step["at"] for step in found["steps"])
    for step in found["steps"]:
        if step["causation_id"] in steps:
            assert step["at"] >= steps[step["causation_id"]]["at"]
            assert step["seconds_since_cause"] >= 0
    received = next(step for step in found["steps"] if step["event"] == "ReferralReceived")
    assert received["service"] == "intake"
    assert {one["service"] for one in received["handled"]} == {*SERVICES} - {"intake"}
    assert all(one["seconds_after"] >= 0 for one in received["handled"])
    assert "TherapistMatched" in said_of(system, story.referral_id).stdout


def test_a_reference_that_nobody_knows_is_said_so(system: System) -> None:
    done = said_of(system, "NO-SUCH-REF")
    assert done.exit_code == 1
    assert done.stderr


def test_a_service_that_is_down_is_named_and_the_rest_is_told(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = matched_story(system, tap)
    system.kill("evaluation")
    try:
        code, found = trace(system, story.referral_id)
    finally:
        eventually(lambda: not system.supervisor.restart_ended(), "it runs again")
        assert wait_until_it_is_ready(http_of(system, "evaluation"), system.supervisor.running["evaluation"].process)
    assert code == 1
    assert list(found["silent"]) == ["evaluation"]
    assert "TherapistMatched" in {step["event"] for step in found["steps"]}


@contextmanager
def tailing(amqp_uri: str, folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`leeward events tail` as a person has it open in another terminal, and the file with what it prints."""
    output, said = folder / "output", folder / "said"
    command = ("leeward.cli", "events", "tail", *options)
    with (
        output.open("wb") as out,
        said.open("wb") as err,
        run_module(*command, env={**os.environ, "AMQP_URI": amqp_uri}, stdout=out, stderr=err) as process,
    ):
        try:
            eventually(lambda: b"Ctrl-C" in said.read_bytes() or process.poll() is not None, "it listens")
            assert process.poll() is None, said.read_text()
            yield process, output
        finally:
            process.kill()


@pytest.fixture
def sender(system: System) -> Iterator[Sender]:
    with Sender(system.amqp_uri) as opened:
        yield opened


def say(sender: Sender, name: str, *, subject: str, **data: Any) -> str:
    id_ = str(new_id())
    headers = {"cloudEvents_id": id_, "cloudEvents_subject": subject, "correlationid": id_}
    sender.send("notifications.events", name, data, message_id=id_, headers=headers)
    return id_


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_live_traffic_is_shown_as_asked_for(system: System, sender: Sender, tmp_path: Path) -> None:
    mine, other = str(new_id()), str(new_id())
    options = ("--service", "notifications", "--type", "MessageSent", "--subject", mine, "--json", "--body")
    with tailing(system.amqp_uri, tmp_path, *options) as (process, output):
        say(sender, "MessageFailed", subject=mine)
        say(sender, "MessageSent", subject=other)
        id_ = say(sender, "MessageSent", subject=mine, message_id=mine, sealed="planted words")
        eventually(lambda: lines(output), "it is shown")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    (seen,) = lines(output)
    assert (seen["id"], seen["exchange"], seen["event"]) == (id_, "notifications.events", "MessageSent")
    assert seen["body"] == {"message_id": mine, "sealed": "<withheld>"}


def test_bodies_are_shown_only_if_asked_for_and_the_queue_goes_with_the_command(
    system: System, sender: Sender, tmp_path: Path
) -> None:
    with tailing(system.amqp_uri, tmp_path) as (process, output):
        id_ = say(sender, "MessageSent", subject=str(new_id()), message_id="planted")
        eventually(lambda: id_ in output.read_text(), "it is shown")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert "planted" not in output.read_text()


def test_nothing_is_published_by_a_service_that_is_not_there() -> None:
    done = CliRunner().invoke(app, ["events", "tail", "--service", "nowhere"], env={"AMQP_URI": "amqp://x"})
    assert done.exit_code == 2
