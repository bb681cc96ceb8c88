"""A safeguarding alert that finds no way out: the machine itself says so, wherever somebody may look."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from chassis.ids import new_id
from leeward.cli import app
from leeward.runtime.free_ports import free_ports
from leeward.runtime.local_broker import Node
from tests.support.bus import Tap, eventually
from tests.support.story import Story
from tests.support.system import System, http_of, whole_system

TOKEN = "a-made-up-token-of-a-made-up-gateway"


def page(system: System, path: str) -> str:
    try:
        with urllib.request.urlopen(http_of(system, "notifications") + path, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


def receipt(system: System, token: str) -> int:
    """The answer to a receipt of a text message that there is not."""
    body = json.dumps({"reference": str(new_id()), "status": "failed"}).encode()
    asked = urllib.request.Request(http_of(system, "notifications") + "/receipts/texts", body)
    asked.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def status(system: System, *options: str) -> tuple[int, str]:
    environment = {"AMQP_URI": system.amqp_uri, "COLUMNS": "160", "FORCE_COLOR": "1"}
    done = CliRunner().invoke(app, ["status", *options], env=environment)
    return done.exit_code, done.stdout


def test_an_alert_that_reaches_nobody_is_shouted_about_until_somebody_takes_it_in_hand(
    node: Node, tmp_path: Path
) -> None:
    (closed,) = free_ports(1)
    nowhere = {
        "NOTIFICATIONS_MAIL": f"smtp://127.0.0.1:{closed}?starttls=no",
        "NOTIFICATIONS_TEXTS_RECEIPTS_TOKEN": TOKEN,
    }
    with (
        whole_system(node, tmp_path / "var", name="unreached", server=None, settings=nowhere) as system,
        Tap(system.amqp_uri, ["intake", "notifications"]) as tap,
    ):
        assert status(system)[0] == 0
        assert (receipt(system, TOKEN), receipt(system, "guessed")) == (204, 401)
        assert 'leeward_posted_total{path="/receipts/texts",status="204"} 1.0' in page(system, "/metrics")
        story = Story(system, tap)
        story.ask_for_help(identifiable_person_at_risk=True)
        concern = story.heard("SafeguardingConcernRaised")["concern_id"]
        system.advance(timedelta(minutes=2))

        def alarmed() -> dict[str, Any]:
            found: dict[str, Any] = json.loads(page(system, "/health/ready"))
            return found if found["alarms"] else {}

        found = eventually(alarmed, "the service says that nobody could be told")
        assert found["alarms"] == {"safeguarding_unreached": 1}
        assert found["ready"] is True
        assert "leeward_safeguarding_unreached 1.0" in page(system, "/metrics")
        code, shown = status(system)
        assert code == 1
        assert "NOBODY COULD BE TOLD" in shown

        def shouted() -> list[dict[str, Any]]:
            lines = system.workspace.log("notifications").read_text().splitlines()
            told = (json.loads(line) for line in lines if line.startswith("{"))
            return [one for one in told if one.get("event") == "safeguarding_unreached"]

        shouts = eventually(shouted, "it shouts in its log")
        assert {one["level"] for one in shouts} == {"critical"}
        assert {one["concern_id"] for one in shouts} == {concern}
        system.rpc.call("notifications", "acknowledge_alert", concern_id=concern)
        assert json.loads(page(system, "/health/ready"))["alarms"] == {}
        assert "leeward_safeguarding_unreached 0.0" in page(system, "/metrics")
        assert status(system)[0] == 0
