"""What the broker parked only because it had been handed out too often goes back by itself, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from kombu import Connection
from structlog.testing import capture_logs

from chassis.bus import topology
from chassis.bus.connection import open_connection
from chassis.bus.messages import MAX_MESSAGE_BYTES, Incoming
from chassis.bus.redelivery import Returns, _republished
from chassis.clock import ManualClock
from chassis.ids import new_id
from contracts.events.intake import ReferralWithdrawn
from leeward.runtime.local_broker import Node
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


@contextmanager
def putting_back(amqp_uri: str) -> Iterator[None]:
    returns = Returns(
        service="parrot",
        connect=lambda: open_connection(amqp_uri, name="parrot", heartbeat_seconds=10),
        clock=ManualClock(NOW),
        one_user_each=False,
    )
    thread = threading.Thread(target=returns.run)
    thread.start()
    try:
        yield
    finally:
        returns.stop()
        thread.join()


def test_it_comes_back_once_and_is_a_dead_letter_the_second_time(amqp_uri: str) -> None:
    id_ = str(new_id())
    with Sender(amqp_uri) as sender:
        sender.send("intake.events", "ReferralWithdrawn", {}, message_id=id_, headers={"cloudEvents_id": id_})
        use_up_its_deliveries(amqp_uri)
        with putting_back(amqp_uri):
            eventually(lambda: sender.depth("parrot.inbox") == 1, "it is back in its lane")
        assert sender.depth("parrot.limit") == 0
        use_up_its_deliveries(amqp_uri)
        with putting_back(amqp_uri):
            headers, _ = eventually(lambda: sender.take("parrot.dead"), "it is put before a person")
    assert headers["cloudEvents_id"] == id_
    assert (headers["leeward_exchange"], headers["leeward_routing_key"]) == ("intake.events", "ReferralWithdrawn")
    assert (headers["leeward_lane"], headers["leeward_error"]) == ("inbox", "DeliveryLimit")
    assert not [name for name in headers if name.startswith("x-death")]


def test_what_could_not_be_taken_in_goes_on_to_the_dead_letters_as_it_is(amqp_uri: str) -> None:
    body = b"x" * (MAX_MESSAGE_BYTES + 1)
    with capture_logs() as logs, Sender(amqp_uri) as sender, putting_back(amqp_uri):
        sender.send("parrot.retry", "inbox.limit", body, headers={"kept": "as it is"})
        headers, found = eventually(lambda: sender.take("parrot.dead"), "it is put before a person")
        eventually(lambda: "parked_after_delivery_limit" in [line["event"] for line in logs], "it is said")
    assert (headers["kept"], found) == ("as it is", body)
    assert "put_back_after_delivery_limit" not in [line["event"] for line in logs]


def parked(exchange: str = "intake.events", user: str | None = "intake", **told: Any) -> Incoming:
    """As the broker hands out what it parked; on RabbitMQ 3.10 a publisher may have written its `x-death`."""
    death = {"queue": "parrot.inbox", "exchange": exchange, "routing-keys": ["ReferralWithdrawn"], "count": 1}
    headers = {"x-death": [death], "cloudEvents_id": "1", **told}
    return Incoming("parrot.retry", "inbox.limit", 1, b"{}", headers, user_id=user)


def anew(message: Incoming, trusted_user: str | None = "parrot") -> tuple[str, Any]:
    """Where it goes, and from where it is said to come."""
    out = _republished(message, "parrot", NOW, trusted_user=trusted_user)
    return out.routing_key, out.headers.get("leeward_exchange")


def test_where_each_has_a_user_it_is_the_user_who_says_where_a_message_comes_from() -> None:
    assert anew(parked()) == ("inbox.30s", "intake.events")
    assert anew(parked(exchange="matching.events", user="web")) == ("dead", None), "its x-death is its own invention"
    assert anew(parked(user=None)) == ("dead", None)
    assert anew(parked(user=None), trusted_user=None) == ("inbox.30s", "intake.events"), "with one user for all"


def test_only_what_the_service_itself_put_off_tells_a_history() -> None:
    told = {"leeward_exchange": "matching.events", "leeward_routing_key": "TherapistMatched"}
    assert anew(parked("parrot.return", "parrot", **told)) == ("inbox.30s", "matching.events")
    assert anew(parked("parrot.return", "web", **told)) == ("dead", None)
    assert anew(parked("parrot.return", "parrot", **told, leeward_put_back=1)) == ("dead", "matching.events")


@pytest.mark.parametrize("odd", ["x", 5, None, [], ["x"], [{"queue": 5}], [{"queue": "parrot.inbox", "exchange": []}]])
def test_an_odd_death_is_none(odd: Any) -> None:
    message = parked()
    key, exchange = anew(message._replace(headers={"x-death": odd, "leeward_put_back": "x"}))
    assert (key, exchange) == ("dead", None)
