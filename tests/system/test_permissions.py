"""Each user of the broker logs in on a real node and can do its own, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pika
import pytest
from dotenv import dotenv_values
from kombu import Connection
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, NackError
from typer.testing import CliRunner

from chassis.bus.permissions import ACCOUNTS, ENQUIRY, OPERATOR, STAFF
from chassis.bus.topology import COMMANDS_OF_A_FRONT_END_AT_MOST, ExchangeMissing, Topology, command_queues
from chassis.ids import new_id
from contracts.catalogue import PUBLISHERS, events
from contracts.sealed import SafeChannel, SafeContact
from leeward.cli import app
from leeward.runtime.free_ports import free_ports
from leeward.runtime.health import status_of
from leeward.runtime.local_broker import Node
from leeward.runtime.supervisor import wait_until_it_is_ready
from leeward.runtime.topologies import topologies
from leeward.runtime.workspace import SERVICES
from tests.support.bus import Sender, Tap, eventually
from tests.support.story import Story, open_fund, return_form
from tests.support.system import whole_system
from tests.support.users import Guarded, import_definitions
from tests.system.test_outages import service as service_process

FORBIDDEN = 403
USERS = (*SERVICES, "web", STAFF, OPERATOR, ENQUIRY)
each_service = pytest.mark.parametrize("service", SERVICES)
each_user = pytest.mark.parametrize("user", USERS)
ASKED_BY_THE_SITE = {"intake", "evaluation", "matching", "notifications"}
TOPOLOGIES = {one.service: one for one in topologies()}


@pytest.fixture(scope="module")
def guarded(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    return import_definitions(node, "guarded", tmp_path_factory.mktemp("definitions"))


@contextmanager
def logged_in(guarded: Guarded, user: str) -> Iterator[Callable[[], BlockingChannel]]:
    """Opens channels as this user; the broker closes one at each refusal."""
    connection = pika.BlockingConnection(pika.URLParameters(guarded.uri(user)))

    def channel() -> BlockingChannel:
        opened = connection.channel()
        opened.confirm_delivery()
        return opened

    yield channel
    connection.close()


def refused(channel: BlockingChannel, act: Callable[[BlockingChannel], object]) -> bool:
    """Whether the broker forbids it; anything else that is wrong is the test's own mistake."""
    try:
        act(channel)
    except ChannelClosedByBroker as closed:
        if closed.reply_code == FORBIDDEN:
            return True
        raise
    return False


def publishes(exchange: str, routing_key: str) -> Callable[[BlockingChannel], object]:
    return lambda channel: channel.basic_publish(exchange, routing_key, b"{}")


def takes(queue: str) -> Callable[[BlockingChannel], object]:
    def take(channel: BlockingChannel) -> None:
        channel.basic_get(queue)

    return take


def binds(queue: str, exchange: str, routing_key: str) -> Callable[[BlockingChannel], object]:
    return lambda channel: channel.queue_bind(queue, exchange, routing_key)


@each_service
def test_a_service_declares_all_that_it_needs(guarded: Guarded, service: str) -> None:
    with Connection(guarded.uri(service)) as connection:
        TOPOLOGIES[service].declare(connection)


@each_service
def test_a_service_reads_its_own_queues_and_no_other(guarded: Guarded, service: str) -> None:
    with logged_in(guarded, service) as channel:
        for topology in TOPOLOGIES.values():
            for queue in topology.queues:
                assert refused(channel(), takes(queue.name)) == (topology.service != service), queue.name


@each_service
def test_a_service_publishes_its_own_events_and_no_other(guarded: Guarded, service: str) -> None:
    with logged_in(guarded, service) as channel:
        for event in events():
            mine = event.publisher == service
            assert refused(channel(), publishes(event.exchange(), event.__name__)) != mine, event.__name__
        assert refused(channel(), publishes(f"{service}.events", "SomethingElse"))


@each_service
def test_a_service_hears_what_it_declares_and_nothing_besides(guarded: Guarded, service: str) -> None:
    heard = {(exchange, key) for exchange, key, queue in TOPOLOGIES[service].bindings()}
    with logged_in(guarded, service) as channel:
        for event in events():
            allowed = (event.exchange(), event.__name__) in heard
            assert refused(channel(), binds(f"{service}.inbox", event.exchange(), event.__name__)) != allowed
        for publisher in PUBLISHERS:
            assert refused(channel(), binds(f"{service}.inbox", f"{publisher}.events", "#"))


@each_service
def test_a_service_answers_commands_and_gives_none(guarded: Guarded, service: str) -> None:
    with logged_in(guarded, service) as channel:
        for exchange in ("nameko-rpc", "operator.answers"):
            assert not refused(channel(), publishes(exchange, str(new_id())))
            assert refused(channel(), publishes(exchange, "intake.withdraw"))
        for exchange in ("nameko-rpc", "operator.commands"):
            assert refused(channel(), binds(f"rpc-{service}", exchange, "#"))
        assert refused(channel(), publishes("operator.commands", f"{service}.health"))
        assert refused(channel(), publishes("enquiry.answers", str(new_id()))) == (service not in ASKED_BY_THE_SITE)


@each_service
def test_a_service_touches_nothing_of_another(guarded: Guarded, service: str) -> None:
    other = next(one for one in SERVICES if one != service)
    with logged_in(guarded, service) as channel:
        assert refused(channel(), lambda one: one.queue_declare(f"{other}.more", durable=True))
        for alike in (f"x{service}.inbox", f"{service}.inboxes", f"{service}xinbox"):
            assert refused(channel(), lambda one, name=alike: one.queue_declare(name, durable=True)), alike
        assert refused(channel(), lambda one: one.queue_delete(f"{other}.inbox"))
        assert refused(channel(), lambda one: one.queue_purge(f"{other}.dead"))
        assert refused(channel(), lambda one: one.exchange_delete("nameko-rpc"))
        assert refused(channel(), publishes(f"{other}.retry", "dead"))
        assert refused(channel(), publishes(f"{other}.return", "inbox.x"))


@each_user
def test_nobody_reaches_queues_past_their_exchanges(guarded: Guarded, user: str) -> None:
    with logged_in(guarded, user) as channel:
        for service in SERVICES:
            assert refused(channel(), publishes("", f"{service}.inbox"))


def test_a_front_end_publishes_on_its_exchange_and_does_nothing_else(guarded: Guarded) -> None:
    with logged_in(guarded, "web") as channel:
        for event in events():
            assert refused(channel(), publishes(event.exchange(), event.__name__)) == (event.publisher != "web")
        assert refused(channel(), publishes("web.events", "SomethingElse"))
        assert refused(channel(), publishes("nameko-rpc", "intake.status"))
        assert refused(channel(), lambda one: one.queue_declare("", exclusive=True))
        for topology in TOPOLOGIES.values():
            assert refused(channel(), takes(f"{topology.service}.inbox"))


SPEAKS_AS = {STAFF: ACCOUNTS}
"""What people publish as: letters about accounts."""


@pytest.mark.parametrize("user", [STAFF, OPERATOR])
def test_people_listen_in_queues_of_their_own_and_speak_for_nobody_else(guarded: Guarded, user: str) -> None:
    with logged_in(guarded, user) as channel:
        opened = channel()
        queue = opened.queue_declare("", exclusive=True).method.queue
        for service in SERVICES:
            assert not refused(opened, binds(queue, f"{service}.events", "#"))
            assert refused(channel(), takes(f"{service}.inbox"))
        assert refused(channel(), binds(queue, "nameko-rpc", "#"))
        for event in events():
            assert refused(channel(), publishes(event.exchange(), event.__name__)) == (
                event.publisher != SPEAKS_AS.get(user)
            )


def test_a_console_gives_commands_and_takes_no_dead_letters(guarded: Guarded) -> None:
    with logged_in(guarded, STAFF) as channel:
        assert not refused(channel(), publishes("nameko-rpc", "matching.accept_offer"))
        assert refused(channel(), takes("matching.dead"))
        assert refused(channel(), publishes("matching.return", "inbox.x"))


def test_the_operator_asks_and_neither_takes_dead_letters_nor_moves_them(guarded: Guarded) -> None:
    letters = [f"billing.{what}_dead_letters" for what in ("list", "show", "export", "replay", "discard")]
    with logged_in(guarded, OPERATOR) as channel:
        for asked in ("matching.health", "billing.story", "intake.find_referral", *letters):
            assert not refused(channel(), publishes("operator.commands", asked))
            assert refused(channel(), publishes("nameko-rpc", asked))
        for told in ("intake.withdraw", "intake.read_record", "intake.about_subject", "notifications.read_outcomes"):
            assert refused(channel(), publishes("operator.commands", told)), told
        for service in SERVICES:
            assert refused(channel(), takes(f"{service}.dead"))
            assert refused(channel(), lambda one, name=f"{service}.dead": one.queue_purge(name))
        for exchange, key in (("billing.return", "inbox.replay"), ("billing.retry", "dead")):
            assert refused(channel(), publishes(exchange, key))


def test_an_enquiry_asks_where_a_request_stands_and_what_a_link_opens_and_nothing_else(guarded: Guarded) -> None:
    with logged_in(guarded, ENQUIRY) as channel:
        opened = channel()
        queue = opened.queue_declare("", exclusive=True).method.queue
        links = ("evaluation.open_form", "matching.open_offer", "notifications.open_alert", "notifications.open_client")
        codes = ("notifications.send_client_code", "notifications.enter_client_code")
        for asked in ("intake.status", *links, *codes):
            assert not refused(opened, publishes("enquiry.commands", asked)), asked
        assert not refused(opened, binds(queue, "enquiry.answers", str(new_id())))
        others = ("evaluation.form", "evaluation.summary", "matching.accept_offer", "matching.offers")
        others = (*others, "notifications.give_client_code", "billing.unrecorded_attendance", "matching.end_match")
        alerts = ("notifications.alerts", "notifications.acknowledge_alert", "notifications.open_alert.more")
        for command in (
            "intake.find_referral",
            "intake.withdraw",
            "intake.status.more",
            "matching.health",
            *others,
            *alerts,
        ):
            for exchange in ("enquiry.commands", "operator.commands", "nameko-rpc"):
                assert refused(channel(), publishes(exchange, command)), command
        assert refused(channel(), publishes("nameko-rpc", "intake.status"))
        assert refused(channel(), binds(queue, "nameko-rpc", str(new_id())))
        for key in ("intake.*", "#"):
            assert refused(channel(), binds(queue, "enquiry.answers", key))
            assert refused(channel(), binds(queue, "enquiry.commands", key))
        for event in events():
            assert refused(channel(), publishes(event.exchange(), event.__name__))
            assert refused(channel(), binds(queue, event.exchange(), event.__name__))
        for topology in TOPOLOGIES.values():
            assert refused(channel(), takes(f"{topology.service}.inbox"))
        assert refused(channel(), lambda one: one.queue_declare("intake.more", durable=True))


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_a_front_end_reaches_no_queue_by_naming_more_routing_keys(guarded: Guarded, header: str) -> None:
    keys = [f"{service}.{method}" for service in SERVICES for method in ("assess", "health", "status", "audit")]
    with logged_in(guarded, ENQUIRY) as channel, Sender(guarded.admin_uri) as sender:
        queues = [queue for service in SERVICES for queue in command_queues(service)]
        before = {queue: sender.depth(queue) for queue in queues}
        properties = pika.BasicProperties(headers={header: keys})
        channel().basic_publish("enquiry.commands", "intake.status", b"{}", properties)
        mine = "rpc-intake.enquiry"
        eventually(lambda: sender.depth(mine) == before[mine] + 1, "what it may ask arrives, once")
        after = {queue: sender.depth(queue) for queue in queues}
    assert after == before | {mine: before[mine] + 1}


def test_a_front_end_that_asks_too_much_fills_no_queue_but_its_own(guarded: Guarded) -> None:
    with logged_in(guarded, ENQUIRY) as channel, Sender(guarded.admin_uri) as sender:
        opened, others = channel(), (sender.depth("rpc-intake"), sender.depth("rpc-intake.operator"))
        with pytest.raises(NackError):
            for _ in range(COMMANDS_OF_A_FRONT_END_AT_MOST + 50):
                opened.basic_publish("enquiry.commands", "intake.status", b"{}")
        assert (sender.depth("rpc-intake"), sender.depth("rpc-intake.operator")) == others


def test_a_missing_password_is_made_and_written_down_and_an_empty_one_filled_in(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# Passwords\nRABBITMQ_INTAKE_PASSWORD=mine\nRABBITMQ_BILLING_PASSWORD=\nOTHER=x\n")
    command = ["topology", "--definitions", "--passwords", str(file)]
    made = json.loads(CliRunner().invoke(app, command).stdout)
    assert {user["name"] for user in made["users"]} == set(USERS)
    written = dotenv_values(file)
    assert (written["RABBITMQ_INTAKE_PASSWORD"], written["OTHER"]) == ("mine", "x")
    assert all(len(written[f"RABBITMQ_{user.upper()}_PASSWORD"] or "") > 40 for user in set(USERS) - {"intake"})
    assert "mine" not in json.dumps(made)
    again = CliRunner().invoke(app, command)
    assert dotenv_values(file) == written
    assert again.exit_code == 0


def test_without_a_password_there_are_no_definitions() -> None:
    done = CliRunner().invoke(app, ["topology", "--definitions"])
    assert done.exit_code == 2
    assert "RABBITMQ_WEB_PASSWORD" in done.stderr


def test_the_topology_is_told_to_people_and_machines() -> None:
    (told,) = json.loads(CliRunner().invoke(app, ["topology", "billing", "--json"]).stdout)
    assert {"exchange": "matching.events", "routing_key": "TherapistMatched", "queue": "billing.inbox"} in told[
        "bindings"
    ]
    assert all(one["why"] for one in (*told["exchanges"], *told["queues"]))
    shown = CliRunner().invoke(app, ["topology"], env={"COLUMNS": "160"}).stdout
    for topology in TOPOLOGIES.values():
        assert all(queue.name in shown for queue in topology.queues)
    assert CliRunner().invoke(app, ["topology", "nowhere"]).exit_code == 2


def test_on_an_empty_broker_a_service_waits_for_what_it_may_not_declare(node: Node, tmp_path: Path) -> None:
    """Its own exchanges are there by then, so that two that wait for each other both go on."""
    empty = import_definitions(node, f"empty_{new_id().hex}", tmp_path, empty=True)
    billing: Topology = TOPOLOGIES["billing"]
    with Connection(empty.uri("billing")) as connection, pytest.raises(ExchangeMissing, match=r"intake\.events"):
        billing.declare(connection)
    with Connection(empty.admin_uri) as connection:
        for exchange in billing.exchanges:
            connection.default_channel.exchange_declare(exchange.name, passive=True, type="topic")
        for exchange in billing.foreign:
            connection.default_channel.exchange_declare(exchange.name, type="topic", durable=True, auto_delete=False)
    with Connection(empty.uri("billing")) as connection:
        billing.declare(connection)


def test_a_service_that_came_first_goes_on_when_the_definitions_arrive(node: Node, tmp_path: Path) -> None:
    guarded = import_definitions(node, f"empty_{new_id().hex}", tmp_path, empty=True)
    log, http = tmp_path / "log", f"http://127.0.0.1:{free_ports(1)[0]}"
    with service_process("evaluation", guarded.uri("evaluation"), http, tmp_path) as process:
        eventually(lambda: log.read_bytes().count(b"waiting_for_exchange") > 1, "it waits, and says for what")
        assert process.poll() is None
        import_definitions(node, guarded.vhost, tmp_path)
        assert wait_until_it_is_ready(http, process), log.read_text()


def test_the_whole_journey_runs_with_these_rights(node: Node, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("guarded-journey")
    guarded = import_definitions(node, "guarded_journey", folder)
    address = f"client-{new_id()}@example.org"
    with (
        whole_system(node, folder / "var", name="guarded", server=None, guarded=guarded) as system,
        Tap(system.amqp_uri, PUBLISHERS) as tap,
    ):
        story = Story(system, tap)
        open_fund(system)
        story.admit_therapist()
        story.ask_for_help(
            contact=SafeContact(channel=SafeChannel.EMAIL, email=address),
            subsidy_requested=True,
            fee_ceiling_pence=30_00,
            identifiable_person_at_risk=True,
        )
        story.heard("SafeguardingAlertSent")
        story.take_in_hand()  # nobody is asked before somebody has
        story.assess()
        story.heard("SubsidyApproved")
        story.accept()
        story.heard("ReferralFeeCharged")
        return_form(story, address)
        story.heard("EvaluationSubmitted")
        states = status_of(guarded.uri(OPERATOR))
    assert [state.dead_letters for state in states if state.up] == [0] * len(SERVICES)
    logs = "".join(path.read_text() for path in (folder / "var" / "log").iterdir())
    assert "AccessRefused" not in logs
