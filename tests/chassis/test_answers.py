"""An answer that nobody can be given costs nobody else theirs."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pika
import pytest
from kombu import Connection
from structlog.testing import capture_logs

from chassis.bus.commands import CommandConsumer, Result
from chassis.bus.connection import BusConnection, open_connection
from chassis.bus.topology import topology_of
from chassis.ids import new_id
from chassis.rpc import RpcClient
from leeward.runtime.local_broker import Node
from tests.support.bus import Sender, eventually
from tests.support.system import virtual_host


@pytest.fixture
def amqp_uri(node: Node) -> str:
    """Where a parrot takes commands, and the exchange for the operator's answers has been deleted."""
    uri = virtual_host(node, f"answers_{new_id().hex}")
    with Connection(uri) as connection:
        topology_of("parrot", {}).declare(connection)
        connection.default_channel.exchange_delete("operator.answers")
    return uri


@pytest.fixture
def connections(amqp_uri: str) -> Iterator[list[BusConnection]]:
    """Those that the parrot has opened, while it answers every command."""
    opened: list[BusConnection] = []

    def connect() -> BusConnection:
        opened.append(open_connection(amqp_uri, name="parrot", heartbeat_seconds=10))
        return opened[-1]

    parrot = CommandConsumer(
        service="parrot",
        connect=connect,
        methods=["health"],
        known_errors=(),
        start=lambda command, done: done(Result(command, "well")) and None,
    )
    thread = threading.Thread(target=parrot.run)
    thread.start()
    yield opened
    parrot.stop()
    thread.join()


def test_a_missing_exchange_for_answers_costs_no_connection(amqp_uri: str, connections: list[BusConnection]) -> None:
    lost = pika.BlockingConnection(pika.URLParameters(amqp_uri))
    with capture_logs() as logs, Sender(amqp_uri) as sender, RpcClient(amqp_uri) as client:
        for _ in range(3):
            properties = pika.BasicProperties(reply_to=str(new_id()), content_type="application/json")
            lost.channel().basic_publish(
                "operator.commands", "parrot.health", b'{"args": [], "kwargs": {}}', properties
            )
        eventually(lambda: "answers_not_taken" in [line["event"] for line in logs], "it is said")
        eventually(lambda: sender.depth("rpc-parrot.operator") == 0, "they are done with")
        assert client.call("parrot", "health") == "well"
    lost.close()
    assert len(connections) == 1
