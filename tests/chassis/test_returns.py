"""What the broker parked only because it had been handed out too often goes back by itself, once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from kombu import Connection

from chassis.bus import topology
from chassis.bus.returns import put_back
from chassis.ids import new_id
from contracts.events.intake import ReferralWithdrawn
from leeward.broker import Node
from tests.support.bus import Sender, eventually
from tests.support.system import virtual_host

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def amqp_uri(node: Node, monkeypatch: pytest.MonkeyPatch) -> str:
    """A parrot's topology in which a message may be handed out twice, and waits a second before it comes back."""
    monkeypatch.setattr(topology, "DELIVERY_LIMIT", 1)
    monkeypatch.setattr(topology, "RETRY_DELAYS_SECONDS", {"30s": 1})
    uri = virtual_host(node, f"returns_{new_id().hex}")
    with Connection(uri) as connection:
        topology.topology_of("parrot", {"inbox": [ReferralWithdrawn]}).declare(connection)
    return uri


def use_up_its_deliveries(amqp_uri: str) -> None:
    """Goes away with the message, as a service that dies does, until the broker parks it."""

    def taken_and_dropped() -> Any:
        with Connection(amqp_uri) as connection:
            return connection.default_channel.basic_get("parrot.inbox")

    eventually(taken_and_dropped, "it is handed out")
    with Sender(amqp_uri) as sender:
        eventually(lambda: taken_and_dropped() is None and sender.depth("parrot.limit") == 1, "the broker parks it")


def put_all_back(amqp_uri: str) -> int:
    with Connection(amqp_uri, transport_options={"confirm_publish": True}) as connection:
        return put_back(connection.default_channel, "parrot", NOW)


def test_it_comes_back_once_and_is_a_dead_letter_the_second_time(amqp_uri: str) -> None:
    id_ = str(new_id())
    with Sender(amqp_uri) as sender:
        sender.send("intake.events", "ReferralWithdrawn", {}, message_id=id_, headers={"cloudEvents_id": id_})
        use_up_its_deliveries(amqp_uri)
        assert put_all_back(amqp_uri) == 1
        eventually(lambda: sender.depth("parrot.inbox") == 1, "it is back in its lane")
        assert sender.depth("parrot.limit") == 0
        use_up_its_deliveries(amqp_uri)
        assert put_all_back(amqp_uri) == 1
        headers, _ = eventually(lambda: sender.take("parrot.dead"), "it is put before a person")
    assert headers["cloudEvents_id"] == id_
    assert (headers["leeward_exchange"], headers["leeward_routing_key"]) == ("intake.events", "ReferralWithdrawn")
    assert (headers["leeward_lane"], headers["leeward_error"]) == ("inbox", "DeliveryLimit")
    assert not [name for name in headers if name.startswith("x-death")]


def test_nothing_parked_is_nothing_to_do(amqp_uri: str) -> None:
    assert put_all_back(amqp_uri) == 0
