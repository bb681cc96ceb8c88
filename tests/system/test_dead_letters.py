"""Dead letters by command: grouped, shown without what is sealed, replayed without doubling, discarded on record."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from kombu import Connection
from typer.testing import CliRunner

from chassis.bus.topology import topology_of
from chassis.ids import new_id
from contracts.events.intake import ContactReleased, ReferralReceived
from leeward.broker import Node
from leeward.cli import app
from tests.support.bus import Sender
from tests.support.system import virtual_host

NOW = datetime.now(UTC)


@pytest.fixture
def amqp_uri(node: Node) -> str:
    """A virtual host where matching and notifications have been, and nothing runs now."""
    uri = virtual_host(node, f"dead_{new_id().hex}")
    with Connection(uri) as connection:
        topology_of("matching", {"inbox": [ReferralReceived]}).declare(connection)
        topology_of("notifications", {"inbox": [ContactReleased], "urgent": []}).declare(connection)
    return uri


@pytest.fixture
def sender(amqp_uri: str) -> Iterator[Sender]:
    with Sender(amqp_uri) as opened:
        yield opened


class Tool:
    """`leeward dead …` on this broker, with a folder of its own."""

    def __init__(self, amqp_uri: str, folder: Path) -> None:
        self.amqp_uri, self.folder = amqp_uri, folder

    def __call__(self, *arguments: str, answer: str = "") -> Result:
        environment = {"AMQP_URI": self.amqp_uri, "COLUMNS": "200"}
        return CliRunner().invoke(app, ["dead", *arguments, "--var", str(self.folder)], input=answer, env=environment)

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def dead(amqp_uri: str, tmp_path: Path) -> Tool:
    return Tool(amqp_uri, tmp_path)


def bury(
    sender: Sender,
    *,
    service: str = "matching",
    event: str = "ReferralReceived",
    reason: str = "ZeroDivisionError at handlers.py:12",
    body: dict[str, Any] | bytes | None = None,
    published: timedelta = timedelta(hours=2),
    failed: timedelta = timedelta(hours=1),
    lane: str = "inbox",
    id_: str = "",
) -> str:
    """A dead letter as a service parks it, a new one unless `id_` is given; published and failed so long ago."""
    id_ = id_ or str(new_id())
    headers = {
        "cloudEvents_id": id_,
        "cloudEvents_type": event,
        "cloudEvents_subject": str(new_id()),
        "cloudEvents_time": (NOW - published).isoformat(),
        "leeward_exchange": "intake.events",
        "leeward_routing_key": event,
        "leeward_lane": lane,
        "leeward_attempts": 9,
        "leeward_first_failed_at": (NOW - failed).isoformat(),
        "leeward_reason": reason,
        "leeward_error": reason.partition(" ")[0],
        "leeward_digest": "0123456789ab",
    }
    sender.send(f"{service}.retry", "dead", {} if body is None else body, message_id=id_, headers=headers)
    return id_


def test_they_are_grouped_by_what_they_died_of(sender: Sender, dead: Tool) -> None:
    first, second = bury(sender, failed=timedelta(hours=3)), bury(sender)
    bury(sender, reason="KeyError at search.py:3")
    bury(sender, service="notifications", event="ContactReleased")
    groups = dead.json("list")
    assert [(group["service"], group["reason"], group["count"]) for group in groups] == [
        ("matching", "ZeroDivisionError at handlers.py:12", 2),
        ("matching", "KeyError at search.py:3", 1),
        ("notifications", "ZeroDivisionError at handlers.py:12", 1),
    ]
    assert groups[0]["ids"] == [first, second]
    assert groups[0]["oldest"] == (NOW - timedelta(hours=3)).isoformat()
    assert "KeyError at search.py:3" in dead("list").stdout


def test_they_are_found_by_service_cause_and_age(sender: Sender, dead: Tool) -> None:
    old, young = bury(sender, failed=timedelta(days=3)), bury(sender)
    other = bury(sender, service="notifications", event="ContactReleased", reason="KeyError at x.py:1")

    def found(*options: str) -> list[str]:
        return [id_ for group in dead.json("list", *options) for id_ in group["ids"]]

    assert found("--older-than", "2d") == [old]
    assert found("--younger-than", "2d", "--service", "matching") == [young]
    (group,) = dead.json("list", "--service", "notifications")
    assert found("--cause", group["cause"]) == [other]
    assert dead("list", "--service", "nowhere").exit_code == 2
    assert dead("list", "--older-than", "soon").exit_code == 2


def test_looking_loses_nothing_and_keeps_the_order(sender: Sender, dead: Tool) -> None:
    ids = [bury(sender) for _ in range(30)]
    for _ in range(3):
        assert dead.json("list")[0]["ids"] == ids
    assert sender.depth("matching.dead") == 30


def test_a_letter_that_was_parked_twice_is_one_letter(sender: Sender, dead: Tool) -> None:
    id_, other = bury(sender), bury(sender)
    bury(sender, id_=id_, reason="KeyError at search.py:3")
    urgent = bury(sender, service="notifications", event="ContactReleased", lane="urgent")
    bury(sender, service="notifications", event="ContactReleased", id_=urgent)  # heard in two lanes: two letters
    groups = {group["reason"]: group for group in dead.json("list", "--service", "matching")}
    assert [(group["ids"], group["count"], group["copies"]) for group in groups.values()] == [
        ([id_], 1, 2),
        ([other], 1, 1),
    ]
    assert "parked 2 times" in dead("list").stdout
    assert (dead.json("show", id_)["copies"], dead.json("show", id_)["reason"]) == (2, "KeyError at search.py:3")
    assert dead.json("replay", "--cause", groups["KeyError at search.py:3"]["cause"])["replayed"] == 1
    assert (sender.depth("matching.inbox"), sender.depth("matching.dead")) == (1, 1)
    assert dead.json("list", "--service", "notifications")[0]["count"] == 2


def test_a_discard_takes_every_copy_and_is_one_record(sender: Sender, dead: Tool) -> None:
    id_, left = bury(sender), bury(sender)
    bury(sender, id_=id_)
    assert dead.json("discard", id_, "--reason", "sent by a broken form")["discarded"] == 1
    assert dead.json("list")[0]["ids"] == [left]
    assert sender.depth("matching.dead") == 1
    assert len((dead.folder / "audit.jsonl").read_text().splitlines()) == 1


def test_what_has_no_id_is_a_letter_of_its_own(sender: Sender, dead: Tool) -> None:
    for number in range(2):
        sender.send("matching.retry", "dead", {"number": number}, message_id="", headers={"leeward_reason": "no id"})
    assert dead.json("list")[0]["count"] == 2


def test_what_is_sealed_and_what_nobody_knows_is_not_shown(sender: Sender, dead: Tool) -> None:
    body = {"referral_id": str(new_id()), "purpose": "address_book", "sealed": "e.y.J.w.e", "note": "planted words"}
    id_ = bury(sender, service="notifications", event="ContactReleased", body=body)
    shown = dead.json("show", id_)
    assert shown["body"] == body | {"sealed": "<sealed to notifications>", "note": "<withheld>"}
    assert (shown["lane"], shown["attempts"]) == ("inbox", 9)
    for text in (dead("show", id_).stdout, json.dumps(shown)):
        assert "e.y.J.w.e" not in text
        assert "planted words" not in text
    unreadable = bury(sender, body=b"planted words")
    assert dead.json("show", unreadable)["body"] == "<not JSON, 13 bytes>"
    assert dead("show", str(new_id())).exit_code == 1


def test_a_replay_brings_it_back_into_its_lane_as_if_it_had_never_failed(sender: Sender, dead: Tool) -> None:
    id_ = bury(sender, service="notifications", event="ContactReleased", lane="urgent", body={"a": 1})
    left = bury(sender, service="notifications", event="ContactReleased")
    assert dead.json("replay", id_) == {"replayed": 1, "refused": []}
    headers, body = sender.take("notifications.urgent") or ({}, b"")
    assert json.loads(body) == {"a": 1}
    assert headers["cloudEvents_id"] == id_
    assert (headers["leeward_exchange"], headers["leeward_routing_key"]) == ("intake.events", "ContactReleased")
    assert not {"leeward_attempts", "leeward_reason", "leeward_first_failed_at"} & set(headers)
    (group,) = dead.json("list")
    assert group["ids"] == [left]


def test_a_replay_that_finds_no_lane_leaves_the_letter_where_it_is(sender: Sender, dead: Tool) -> None:
    id_ = bury(sender, lane="gone")
    done = dead("replay", id_)
    assert done.exit_code == 1
    assert "Traceback" not in done.stderr
    assert dead.json("list")[0]["ids"] == [id_]


def test_everything_is_replayed_only_after_asking(sender: Sender, dead: Tool) -> None:
    for _ in range(3):
        bury(sender)
    assert dead("replay").exit_code == 2
    refused = dead("replay", "--all", answer="n\n")
    assert refused.exit_code == 1
    assert "3 dead letters" in refused.stdout
    assert sender.depth("matching.dead") == 3
    assert dead("replay", "--all", answer="y\n").exit_code == 0
    assert (sender.depth("matching.dead"), sender.depth("matching.inbox")) == (0, 3)
    bury(sender)
    assert dead("replay", "--all", "--yes").exit_code == 0
    assert sender.depth("matching.inbox") == 4


def test_what_the_inbox_may_have_forgotten_is_refused_unless_its_handler_is_safe(sender: Sender, dead: Tool) -> None:
    ancient = timedelta(days=15)
    unsafe = bury(sender, event="SubsidyApproved", published=ancient)
    safe = bury(sender, published=ancient)
    young = bury(sender, event="SubsidyApproved", published=timedelta(days=13))
    done = dead("replay", "--all", "--yes")
    assert done.exit_code == 1
    assert f"{unsafe} was refused" in done.stderr
    assert "leeward dead show" in done.stderr
    replayed = [(sender.take("matching.inbox") or ({}, b""))[0]["cloudEvents_id"] for _ in range(2)]
    assert replayed == [safe, young]
    assert dead.json("list")[0]["ids"] == [unsafe]


def test_how_long_the_inbox_remembers_is_read_from_the_services_settings(sender: Sender, dead: Tool) -> None:
    (dead.folder / "leeward.env").write_text("LEEWARD_INBOX_RETENTION_DAYS=30\n")
    id_ = bury(sender, event="SubsidyApproved", published=timedelta(days=15))
    assert dead.json("replay", id_)["replayed"] == 1


def test_a_discard_needs_a_reason_and_goes_on_record(sender: Sender, dead: Tool) -> None:
    id_, left = bury(sender), bury(sender)
    assert dead("discard", id_).exit_code == 2
    assert dead("discard", id_, "--reason", " ").exit_code == 2
    assert dead.json("discard", id_, "--reason", "sent by a broken form")["discarded"] == 1
    (line,) = (dead.folder / "audit.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert (record["what"], record["id"], record["event"]) == ("discarded", id_, "ReferralReceived")
    assert record["reason"] == "sent by a broken form"
    assert record["who"]
    assert datetime.fromisoformat(record["at"]).tzinfo
    assert dead.json("list")[0]["ids"] == [left]
    assert dead("discard", left, "--reason", "again").exit_code == 0
    assert len((dead.folder / "audit.jsonl").read_text().splitlines()) == 2


def test_an_export_holds_every_byte_and_takes_nothing_away(sender: Sender, dead: Tool) -> None:
    id_ = bury(sender, body=b"\xff not json")
    path = dead.folder / "letters.jsonl"
    assert dead("export", "--to", str(path)).exit_code == 0
    (line,) = path.read_text().splitlines()
    exported = json.loads(line)
    assert base64.b64decode(exported["body_base64"]) == b"\xff not json"
    assert (exported["id"], exported["headers"]["leeward_lane"]) == (id_, "inbox")
    assert json.loads(dead("export").stdout) == exported
    assert sender.depth("matching.dead") == 1


def test_a_broker_that_is_away_is_said_in_words(tmp_path: Path) -> None:
    done = Tool("amqp://leeward:x@127.0.0.1:1/%2F", tmp_path)("list")
    assert done.exit_code == 1
    assert "can't be reached" in done.stderr
    assert "Traceback" not in done.stderr
