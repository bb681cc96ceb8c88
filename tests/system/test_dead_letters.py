"""Dead letters by command: grouped, shown without what is sealed, replayed without doubling, discarded on record."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result as Done
from kombu import Connection
from typer.testing import CliRunner

from chassis.access.actor import Actor
from chassis.access.authorization import Origin
from chassis.audit.store import entries
from chassis.bus.commands import Command, CommandConsumer, Result
from chassis.bus.connection import open_connection
from chassis.bus.dead_letters import DeadLetter
from chassis.bus.messages import MAX_MESSAGE_BYTES
from chassis.bus.topology import Topology, command_queues, topology_of
from chassis.clock import SystemClock
from chassis.host import dead_letters
from chassis.host.commands import KNOWN_ERRORS
from chassis.host.entrypoints import idempotent_by
from chassis.host.service_loader import load
from chassis.ids import new_id
from chassis.store.database import Database
from chassis.store.engine import open_engine
from chassis.store.tables import new_metadata
from chassis.testing import somebody
from contracts.commands.operations import (
    DeadLettersMoved,
    DeadLettersPage,
    DiscardDeadLetters,
    LookAtDeadLetters,
    ReplayDeadLetters,
)
from contracts.events.intake import ContactReleased, ReferralReceived
from leeward.cli import app
from leeward.runtime.local_broker import Node
from leeward.runtime.workspace import SERVICES
from tests.support.bus import Sender, eventually
from tests.support.system import System, virtual_host

NOW = datetime.now(UTC)


@pytest.fixture
def amqp_uri(node: Node) -> str:
    """A virtual host where matching and notifications have been, and the others with their dead letters alone."""
    uri = virtual_host(node, f"dead_{new_id().hex}")
    with Connection(uri) as connection:
        for service in SERVICES:
            topology_on(service).declare(connection)
    return uri


def topology_on(service: str) -> Topology:
    heard = {"matching": {"inbox": [ReferralReceived]}, "notifications": {"inbox": [ContactReleased], "urgent": []}}
    if service in heard:
        return topology_of(service, heard[service])
    whole = topology_of(service, {})
    needed = {f"{service}.dead", *command_queues(service)}
    return replace(whole, queues=tuple(queue for queue in whole.queues if queue.name in needed))


@pytest.fixture
def sender(amqp_uri: str) -> Iterator[Sender]:
    with Sender(amqp_uri) as opened:
        yield opened


class Tool:
    """`leeward dead …` on this broker, with a folder of its own."""

    def __init__(self, amqp_uri: str, folder: Path) -> None:
        self.amqp_uri, self.folder = amqp_uri, folder

    def __call__(self, *arguments: str, answer: str = "") -> Done:
        environment = {"AMQP_URI": self.amqp_uri, "COLUMNS": "200"}
        return CliRunner().invoke(app, ["dead", *arguments, "--var", str(self.folder)], input=answer, env=environment)

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)


class Moving:
    """What a service does with its own dead letters, with a store of its own and the rest of it not running.

    Its commands are taken from their queues and answered as a service does it.
    """

    def __init__(self, service: str, amqp_uri: str, folder: Path) -> None:
        self._service = service
        metadata = new_metadata()
        engine = open_engine(f"sqlite:///{folder}/{service}.db")
        metadata.create_all(engine)
        self.settings = SimpleNamespace(amqp_uri=amqp_uri, max_message_bytes=MAX_MESSAGE_BYTES, inbox_retention_days=14)
        self.clock = SystemClock()
        self.database = Database(service=service, engine=engine, metadata=metadata, clock=self.clock, dependencies=None)
        self.unit = self.database.unit

    def authorize(self, *_: Any) -> Actor:
        return somebody("sam")

    def once(self, actor: Actor, kind: Any, answer: Callable[[], Any]) -> Any:
        return answer()

    def replay(self, *ids: str, cause: str | None = None) -> DeadLettersMoved:
        keys = idempotent_by(load(self._service))
        return dead_letters.replay(self, self._service, ReplayDeadLetters(ids=ids, cause=cause), keys)  # type: ignore[arg-type]

    def look(self, asked: LookAtDeadLetters) -> DeadLettersPage:
        return dead_letters.look(self, self._service, asked, DeadLetter.summary)  # type: ignore[arg-type]

    def discard(self, *ids: str) -> DeadLettersMoved:
        asked = DiscardDeadLetters(ids=ids)
        return dead_letters.discard(self, self._service, asked, by="console:sam")  # type: ignore[arg-type]

    @contextmanager
    def answering(self) -> Iterator[None]:
        consumer = CommandConsumer(
            service=self._service,
            connect=lambda: open_connection(self.settings.amqp_uri, name="commands", heartbeat_seconds=20),
            methods=[name for name in vars(load(self._service)) if name.endswith("dead_letters")],
            known_errors=KNOWN_ERRORS,
            start=self._carry_out,
        )
        thread = threading.Thread(target=consumer.run)
        thread.start()
        yield
        consumer.stop()
        thread.join()

    def _carry_out(self, command: Command, done: Callable[[Result], object]) -> None:
        method = getattr(load(self._service), command.method)
        try:
            origin = Origin(command.method, command.exchange)
            done(Result(command, method(SimpleNamespace(name=self._service, chassis=self), command.fields, origin)))
        except Exception as error:
            done(Result(command, error=error))

    @property
    def on_record(self) -> list[tuple[str, str, str, str]]:
        """What was done, by whom, to which message, and under which code."""
        with self.database.engine.connect() as connection:
            found = list(entries(connection, self.database.tables.audit_entry))
        return [(one["what"], one["who"], one["subject_id"], one["reason"]) for one in found]


@pytest.fixture
def services(amqp_uri: str, tmp_path: Path) -> dict[str, Moving]:
    return {service: Moving(service, amqp_uri, tmp_path) for service in SERVICES}


@pytest.fixture
def matching(services: dict[str, Moving]) -> Moving:
    return services["matching"]


@pytest.fixture
def notifications(services: dict[str, Moving]) -> Moving:
    return services["notifications"]


@pytest.fixture
def dead(amqp_uri: str, tmp_path: Path, services: dict[str, Moving]) -> Iterator[Tool]:
    with ExitStack() as stack:
        for service in services.values():
            stack.enter_context(service.answering())
        yield Tool(amqp_uri, tmp_path)


@pytest.fixture
def dead_without_billing(
    amqp_uri: str, tmp_path: Path, services: dict[str, Moving], monkeypatch: Any
) -> Iterator[Tool]:
    monkeypatch.setattr("leeward.dead_letters.letters.LOOK_SECONDS", 2.0)
    with ExitStack() as stack:
        for name, service in services.items():
            if name != "billing":
                stack.enter_context(service.answering())
        yield Tool(amqp_uri, tmp_path)


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


def test_a_letter_that_was_parked_twice_is_one_letter(sender: Sender, dead: Tool, matching: Moving) -> None:
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
    assert matching.replay(cause=groups["KeyError at search.py:3"]["cause"]).done == (id_,)
    assert (sender.depth("matching.inbox"), sender.depth("matching.dead")) == (1, 1)
    assert dead.json("list", "--service", "notifications")[0]["count"] == 2


def test_a_discard_takes_every_copy_and_is_one_record(sender: Sender, dead: Tool, matching: Moving) -> None:
    id_, left = bury(sender), bury(sender)
    bury(sender, id_=id_)
    assert matching.discard(id_).done == (id_,)
    assert dead.json("list")[0]["ids"] == [left]
    assert sender.depth("matching.dead") == 1
    assert matching.on_record == [("discarded", "console:sam", id_, "dead_letter")]


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


def test_a_replay_brings_it_back_into_its_lane_as_if_it_had_never_failed(
    sender: Sender, dead: Tool, notifications: Moving
) -> None:
    id_ = bury(sender, service="notifications", event="ContactReleased", lane="urgent", body={"a": 1})
    left = bury(sender, service="notifications", event="ContactReleased")
    assert notifications.replay(id_) == DeadLettersMoved(done=(id_,))
    headers, body = sender.take("notifications.urgent") or ({}, b"")
    assert json.loads(body) == {"a": 1}
    assert headers["cloudEvents_id"] == id_
    assert (headers["leeward_exchange"], headers["leeward_routing_key"]) == ("intake.events", "ContactReleased")
    assert not {"leeward_attempts", "leeward_reason", "leeward_first_failed_at"} & set(headers)
    (group,) = dead.json("list")
    assert group["ids"] == [left]


def test_a_replay_that_finds_no_lane_leaves_the_letter_where_it_is(
    sender: Sender, dead: Tool, matching: Moving
) -> None:
    id_ = bury(sender, lane="gone")
    (refused,) = matching.replay(id_).refused
    assert (refused.id, "takes nothing" in refused.why) == (id_, True)
    assert dead.json("list")[0]["ids"] == [id_]


def test_what_the_inbox_may_have_forgotten_is_refused_unless_its_handler_is_safe(
    sender: Sender, dead: Tool, matching: Moving
) -> None:
    ancient = timedelta(days=15)
    unsafe = bury(sender, event="SubsidyApproved", published=ancient)
    safe = bury(sender, published=ancient)
    young = bury(sender, event="SubsidyApproved", published=timedelta(days=13))
    moved = matching.replay()
    assert (moved.done, [one.id for one in moved.refused]) == ((safe, young), [unsafe])
    assert "leeward dead show" in moved.refused[0].why
    assert dead.json("list")[0]["ids"] == [unsafe]


def test_a_letter_is_as_old_as_the_oldest_that_is_said_of_it(sender: Sender, matching: Moving) -> None:
    """Its publisher may say what it likes of when it was published."""
    id_ = bury(sender, event="SubsidyApproved", published=-timedelta(days=400), failed=timedelta(days=15))
    assert [one.id for one in matching.replay().refused] == [id_]


def test_what_the_broker_parked_tells_nothing_that_is_believed(
    sender: Sender, dead: Tool, amqp_uri: str, matching: Moving
) -> None:
    """It was too large to be taken in, or its headers couldn't be read, so that they may say anything."""
    forged = {"leeward_exchange": "intake.events", "leeward_routing_key": "ReferralReceived", "leeward_lane": "urgent"}
    sender.send("intake.events", "ReferralReceived", b"x" * (MAX_MESSAGE_BYTES + 1), headers=forged)
    with Connection(amqp_uri) as connection:  # as a service refuses it, and its housekeeping after that
        for queue in ("matching.inbox", "matching.limit"):
            eventually(lambda one=queue: sender.depth(one) == 1, f"it is in {queue}")
            message = connection.default_channel.basic_get(queue)
            connection.default_channel.basic_reject(message.delivery_tag, requeue=False)
    eventually(lambda: sender.depth("matching.dead") == 1, "it is a dead letter")
    (group,) = dead.json("list")
    assert (group["reason"], group["publisher"]) == (f"it is larger than {MAX_MESSAGE_BYTES:,} bytes", "")
    (id_,) = group["ids"]
    assert dead.json("show", id_)["body"] == "<withheld>"
    assert "have it published again" in matching.replay(id_).refused[0].why
    assert matching.discard(id_).done == (id_,)
    assert dead.json("list") == []


def test_everything_is_replayed_only_after_asking(sender: Sender, dead: Tool) -> None:
    for _ in range(3):
        bury(sender)
    assert dead("replay").exit_code == 2
    refused = dead("replay", "--all", answer="n\n")
    assert refused.exit_code == 1
    assert "3 dead letters" in refused.stdout
    assert sender.depth("matching.dead") == 3


def test_a_service_that_is_down_is_named_and_the_others_are_shown_all_the_same(
    sender: Sender, dead_without_billing: Tool
) -> None:
    id_ = bury(sender)
    bury(sender, service="billing")
    said = "billing could not be asked about its dead letters: billing did not answer"
    for arguments in (("list", "--json"), ("show", id_), ("export",)):
        done = dead_without_billing(*arguments)
        assert done.exit_code == 1, arguments
        assert said in done.stderr, arguments
        assert id_ in done.stdout, arguments
    done = dead_without_billing("discard", "--all", "--yes", "--reason", "sent by a broken form", "--json")
    assert (done.exit_code, json.loads(done.stdout)["discarded"]) == (1, 1)
    assert said in done.stderr
    assert sender.depth("billing.dead") == 1
    assert dead_without_billing("list", "--service", "matching").exit_code == 0


def test_what_a_service_refuses_is_said_in_its_own_words(
    sender: Sender, dead: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(sender)

    def lost(*arguments: Any, **options: Any) -> Any:
        raise ConnectionResetError

    monkeypatch.setattr("chassis.host.dead_letters.dead_queue", lost)
    done = dead("list", "--service", "matching")
    assert done.exit_code == 1
    assert "matching could not be asked about its dead letters: the broker was lost meanwhile" in done.stderr


def test_letters_are_told_of_in_pages_that_leave_none_out(
    sender: Sender, dead: Tool, matching: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.host.dead_letters.PAGE_BYTES", 2_000)
    ids = [bury(sender) for _ in range(12)]
    first = matching.look(LookAtDeadLetters())
    assert 1 < len(first.letters) < 12
    assert [first.letters[0]["id"], first.are_all] == [ids[0], True]
    assert dead.json("list")[0]["ids"] == ids
    large = bury(sender, body=b"x" * 10_000)
    exported = [json.loads(line)["id"] for line in dead("export").stdout.splitlines()]
    assert exported == [*ids, large]
    assert matching.look(LookAtDeadLetters(ids=(large,))).next is None


def test_a_page_whose_beginning_somebody_took_away_is_not_guessed(
    sender: Sender, matching: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.host.dead_letters.PAGE_BYTES", 1)
    ids = [bury(sender) for _ in range(3)]
    page = matching.look(LookAtDeadLetters())
    matching.discard(ids[0])
    with pytest.raises(dead_letters.LettersMoved):
        matching.look(LookAtDeadLetters(after=page.next))


def test_more_than_a_service_looks_at_is_said_to_be_there(
    sender: Sender, dead: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the headers counts as well: a letter without a body takes memory too."""
    monkeypatch.setattr("chassis.bus.dead_letters.MAX_BYTES", 1_500)
    ids = [bury(sender, body=b"") for _ in range(5)]
    done = dead("list", "--json")
    assert done.exit_code == 1
    assert "matching has more dead letters than it looks at" in done.stderr
    assert json.loads(done.stdout)[0]["ids"] == ids[:3]
    assert sender.depth("matching.dead") == 5


def test_a_letter_that_takes_anothers_id_is_not_taken_for_its_copy(
    sender: Sender, dead: Tool, amqp_uri: str, matching: Moving
) -> None:
    id_ = bury(sender)
    headers = {"leeward_lane": "inbox", "x-death": [{"queue": "matching.inbox", "reason": "rejected"}]}
    sender.send("matching.retry", "dead", {}, message_id=id_, headers=headers)
    assert [group["copies"] for group in dead.json("list")] == [1, 1]
    moved = matching.replay(id_)
    assert (moved.done, [one.id for one in moved.refused]) == ((id_,), [id_])
    nameless = "x" * 256
    sender.send("matching.retry", "dead", {}, headers={"cloudEvents_id": nameless, "leeward_reason": "too long"})
    (group,) = [group for group in dead.json("list") if group["reason"] == "too long"]
    assert dead.json("discard", *group["ids"], "--reason", "too long") == {"discarded": 1, "refused": []}


def test_a_discard_needs_a_reason(sender: Sender, dead: Tool) -> None:
    id_ = bury(sender)
    assert dead("discard", id_).exit_code == 2
    assert dead("discard", id_, "--reason", " ").exit_code == 2


def test_running_services_replay_and_discard_what_they_are_told_to(system: System) -> None:
    dead = Tool(system.amqp_uri, system.workspace.folder)
    parked = [str(new_id()) for _ in range(3)]
    with Sender(system.amqp_uri) as sender:
        for id_ in parked:
            sender.send("intake.events", "ReferralWithdrawn", {"reason": "no id"}, message_id=id_)

        def lying() -> list[str]:
            groups = dead.json("list", "--service", "billing")
            return [id_ for group in groups for id_ in group["ids"] if id_ in parked]

        eventually(lambda: lying() == parked, "they are parked")
        assert dead.json("replay", parked[0], "--service", "billing")["replayed"] == 1
        # Before or after the others, which lay with whoever put it back.
        eventually(lambda: sorted(lying()) == sorted(parked), "it is parked again, for nothing was mended")
        done = dead.json("discard", *parked, "--reason", "sent by a broken form", "--service", "billing")
        assert done == {"discarded": 3, "refused": []}
        assert lying() == []
    lines = [json.loads(line) for line in (dead.folder / "audit.jsonl").read_text().splitlines()]
    mine = [line for line in lines if line.get("id") in parked]
    assert [(line["what"], line["event"], line["reason"]) for line in mine] == [
        ("discarded", "ReferralWithdrawn", "sent by a broken form")
    ] * 3
    (first,) = system.rpc.call("billing", "audit", subject_id=parked[0])["entries"]
    assert (first["what"], first["reason"]) == ("discarded", "dead_letter")


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


def test_what_somebody_else_wrote_steers_no_terminal(sender: Sender, dead: Tool) -> None:
    id_ = bury(sender, event="[/nope] \x1b]0;title\x07", reason="[bold red]loud[/]")
    assert dead("list").exit_code == 0
    for said in (dead("list").stdout, dead("show", id_).stdout):
        assert "\x1b]" not in said
        assert "[/nope]" in said


def test_what_cannot_be_meant_is_said_in_words(sender: Sender, dead: Tool) -> None:
    bury(sender)
    for wrong in (("list", "--older-than", "99999999999999d"), ("export", "--to", "/nowhere/at/all")):
        assert dead(*wrong).exit_code == 2
    assert "no such dead letter" in dead("replay", "nothere").stdout


def test_a_broker_that_is_away_is_said_in_words(tmp_path: Path) -> None:
    done = Tool("amqp://leeward:x@127.0.0.1:1/%2F", tmp_path)("list")
    assert done.exit_code == 1
    assert "can't be reached" in done.stderr
    assert "Traceback" not in done.stderr
