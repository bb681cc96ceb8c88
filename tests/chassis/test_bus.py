"""Topology, relay and publisher on a real broker."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import pytest
from kombu import Connection, Exchange, Queue, binding

from chassis.bus.connection import close_quietly, open_connection
from chassis.bus.consumer import LaneConsumer
from chassis.bus.delivery import Arrived, NotUnderstood, Unreadable
from chassis.bus.messages import Incoming, Outgoing
from chassis.bus.publisher import ConfirmingPublisher
from chassis.bus.relay import FEW, STEP_ASIDE_SECONDS, WINDOW, Relay
from chassis.bus.settlement import Fate, Settled
from chassis.bus.topology import RETRY_DELAYS_SECONDS, QueueInUse, Topology, TopologyMismatch, topology_of
from chassis.clock import SystemClock
from chassis.ids import new_id
from chassis.observability import metrics
from chassis.store.outbox import TAKE_OVER_AFTER
from contracts.events.intake import ReferralReceived, ReferralWithdrawn, SafeguardingConcernRaised
from contracts.vocabulary import ReferralId, WithdrawalReason
from leeward.runtime.local_broker import Node
from tests.chassis.conftest import Store
from tests.support.bus import Sender, eventually
from tests.support.system import virtual_host

HEARTBEAT_SECONDS = 10


def topology() -> Topology:
    return topology_of(
        "parrot", {"inbox": [ReferralReceived, ReferralWithdrawn], "urgent": [SafeguardingConcernRaised]}
    )


@pytest.fixture
def amqp_uri(node: Node) -> str:
    """A virtual host with a parrot's topology on it."""
    uri = virtual_host(node, f"bus_{new_id().hex}")
    with Connection(uri) as connection:
        topology().declare(connection)
    return uri


def test_declaring_again_changes_nothing(amqp_uri: str) -> None:
    with Connection(amqp_uri) as connection:
        topology().declare(connection)


def test_what_differs_on_the_broker_is_named_and_not_fought_over(node: Node) -> None:
    uri = virtual_host(node, f"bus_{new_id().hex}")
    with Connection(uri) as connection:
        Queue("parrot.inbox", durable=True)(connection.channel()).declare()
        with pytest.raises(TopologyMismatch, match=r"The queue parrot\.inbox exists"):
            topology().declare(connection)


def as_the_version_before_declared(channel: Any) -> None:
    """The queues that have other properties since."""
    commands, retry = (Exchange(name, type="topic", durable=True) for name in ("nameko-rpc", "parrot.retry"))
    Queue("rpc-parrot", commands, "parrot.*", durable=True)(channel).declare()
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
    Queue("parrot.limit", retry, "*.limit", durable=True, queue_arguments=arguments)(channel).declare()


def test_queues_of_the_version_before_are_made_anew_when_they_are_empty(node: Node) -> None:
    uri = virtual_host(node, f"bus_{new_id().hex}")
    with Connection(uri) as connection:
        as_the_version_before_declared(connection.default_channel)
        topology().declare(connection)
        topology().declare(connection)
    with Sender(uri) as sender:
        sender.send("nameko-rpc", "parrot.health", {})
        sender.send("parrot.retry", "inbox.limit", {})
        assert (sender.depth("rpc-parrot"), sender.depth("parrot.limit")) == (1, 1)


@pytest.mark.parametrize(
    ("queue", "exchange", "key"),
    [("rpc-parrot", "nameko-rpc", "parrot.health"), ("parrot.limit", "parrot.retry", "inbox.limit")],
)
def test_what_still_lies_in_a_queue_of_the_version_before_is_not_thrown_away(
    node: Node, queue: str, exchange: str, key: str
) -> None:
    uri = virtual_host(node, f"bus_{new_id().hex}")
    with Connection(uri) as connection, Sender(uri) as sender:
        as_the_version_before_declared(connection.default_channel)
        sender.send(exchange, key, {})
        with pytest.raises(QueueInUse, match=rf"{queue} is to be made anew .* holds 1 messages"):
            topology().declare(connection)
        assert sender.take(queue)
        topology().declare(connection)
        sender.send(exchange, key, {})
        assert sender.depth(queue) == 1


def test_a_queue_that_somebody_empties_just_now_is_waited_for(node: Node) -> None:
    uri = virtual_host(node, f"bus_{new_id().hex}")
    with Connection(uri) as connection, Sender(uri) as sender:
        as_the_version_before_declared(connection.default_channel)
        connection.default_channel.basic_consume("parrot.limit")
        with pytest.raises(QueueInUse, match=r"parrot\.limit"):
            topology().declare(connection)
        sender.send("parrot.retry", "inbox.limit", {})


def test_each_lane_hears_its_own_events(amqp_uri: str) -> None:
    with Sender(amqp_uri) as sender:
        sender.send("intake.events", "ReferralReceived", {})
        sender.send("intake.events", "SafeguardingConcernRaised", {})
        sender.send("intake.events", "ReferralWithdrawn", {})
        assert (sender.depth("parrot.inbox"), sender.depth("parrot.urgent")) == (2, 1)


@pytest.mark.parametrize("lane", ["inbox", "urgent"])
def test_a_retry_comes_back_into_the_lane_it_left(amqp_uri: str, lane: str) -> None:
    with Sender(amqp_uri) as sender:
        sender.send("parrot.retry", f"{lane}.1s", {}, headers={"leeward_attempts": 1})
        assert sender.depth("parrot.retry.1s") == 1
        headers, _ = eventually(lambda: sender.take(f"parrot.{lane}"), "it comes back")
    assert headers["leeward_attempts"] == 1


def test_every_delay_has_a_queue_and_dead_letters_have_one(amqp_uri: str) -> None:
    with Sender(amqp_uri) as sender:
        for delay in set(RETRY_DELAYS_SECONDS) - {"1s"}:
            sender.send("parrot.retry", f"inbox.{delay}", {})
            assert sender.depth(f"parrot.retry.{delay}") == 1
        sender.send("parrot.retry", "dead", {})
        assert sender.depth("parrot.dead") == 1


@contextmanager
def relaying(store: Store, amqp_uri: str, *, relays: int = 1) -> Iterator[list[Relay]]:
    """Relays of one outbox, each in a thread and on a connection of its own."""
    running = [
        Relay(
            service=f"parrot {number}",
            outbox=store.database.outbox,
            amqp_uri=amqp_uri,
            heartbeat_seconds=HEARTBEAT_SECONDS,
        )
        for number in range(relays)
    ]
    threads = [threading.Thread(target=relay.run) for relay in running]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        for relay in running:
            relay.stop()
        for thread in threads:
            thread.join()


def emit(store: Store, count: int, relay: Relay | None = None) -> list[str]:
    """Commits so many events, hands them to the relay or leaves them behind, and returns their subjects in order."""
    subjects = [new_id() for _ in range(count)]
    with store.database.unit() as unit:
        for subject in subjects:
            unit.emit(ReferralWithdrawn(referral_id=ReferralId(subject), reason=WithdrawalReason.CLIENT_ASKED))
    if relay:
        relay.take(unit.committed)
    else:
        store.clock.advance(TAKE_OVER_AFTER * 2)
    return [str(subject) for subject in subjects]


def heard(sender: Sender) -> list[str]:
    """The subjects of what waits in the inbox, in order."""
    found = []
    while message := sender.take("parrot.inbox"):
        found.append(str(message[0]["cloudEvents_subject"]))
    return found


def unroutable() -> float:
    return metrics.REGISTRY.get_sample_value("leeward_unroutable_total") or 0


def outbox_is_empty(store: Store) -> bool:
    return store.rows("outbox") == []


def test_what_was_committed_is_published_in_order_and_leaves_the_outbox(store: Store, amqp_uri: str) -> None:
    subjects = emit(store, WINDOW * 2 + 50)
    with relaying(store, amqp_uri), Sender(amqp_uri) as sender:
        eventually(lambda: outbox_is_empty(store), "the outbox is empty")
        assert heard(sender) == subjects


def test_what_is_committed_while_the_relay_runs_is_published_when_it_is_woken(store: Store, amqp_uri: str) -> None:
    with relaying(store, amqp_uri) as (relay,), Sender(amqp_uri) as sender:
        subjects = emit(store, WINDOW + 3, relay)
        eventually(lambda: outbox_is_empty(store), "the outbox is empty")
        assert heard(sender) == subjects


@contextmanager
def at_rest(monkeypatch: pytest.MonkeyPatch, store: Store, amqp_uri: str) -> Iterator[Relay]:
    """A relay that waits for something to do, for longer than a test takes."""
    monkeypatch.setattr("chassis.bus.relay.LINGER_SECONDS", 600.0)
    with relaying(store, amqp_uri) as (relay,):
        eventually(lambda: relay._publisher and not relay._publishing.locked(), "the relay rests")
        yield relay


def test_what_comes_alone_is_sent_by_who_brings_it(
    store: Store, amqp_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_rest(monkeypatch, store, amqp_uri) as relay, Sender(amqp_uri) as sender:
        with monkeypatch.context() as asleep:
            asleep.setattr(relay._wake, "set", lambda: None)
            first = emit(store, 2, relay)
            eventually(lambda: sender.depth("parrot.inbox") == 2, "the relay's thread is not waited for")
            later = emit(store, 1, relay)  # what was sent is not answered for yet
        assert heard(sender) == first
        relay._wake.set()
        eventually(lambda: sender.depth("parrot.inbox") == 1, "the relay goes on")
        assert heard(sender) == later


def test_who_has_sent_a_few_that_came_alone_steps_aside(
    store: Store, amqp_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_rest(monkeypatch, store, amqp_uri) as relay, Sender(amqp_uri) as sender:
        naps: list[float] = []

        def steps_aside(count: int) -> bool:
            naps.clear()
            emit(store, count, relay)
            eventually(lambda: not relay._in_hand and not relay._publishing.locked(), "the relay rests")
            return STEP_ASIDE_SECONDS in naps

        monkeypatch.setattr("chassis.bus.relay.ALONE_SECONDS", 0.0)
        monkeypatch.setattr("chassis.bus.relay.time.sleep", naps.append)
        assert [steps_aside(count) for count in (1, FEW, FEW + 1)] == [True, True, False]
        monkeypatch.setattr("chassis.bus.relay.ALONE_SECONDS", 600.0)
        assert not steps_aside(1)
        assert sender.depth("parrot.inbox") == FEW * 2 + 3


def test_what_is_sent_over_a_lost_connection_is_published_again(
    store: Store, amqp_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_rest(monkeypatch, store, amqp_uri) as relay, Sender(amqp_uri) as sender:
        assert relay._publisher
        relay._publisher._connection._socket.shutdown(socket.SHUT_RDWR)
        subjects = emit(store, 3, relay)
        eventually(lambda: sender.depth("parrot.inbox") == 3, "they arrive")
        assert heard(sender) == subjects
    assert outbox_is_empty(store)


def test_stopping_publishes_what_is_there(store: Store, amqp_uri: str) -> None:
    subjects = emit(store, 3)
    with relaying(store, amqp_uri):
        pass
    with Sender(amqp_uri) as sender:
        assert heard(sender) == subjects


def test_an_event_that_nobody_hears_is_no_error_and_is_counted(store: Store, node: Node) -> None:
    uri = virtual_host(node, f"bus_{new_id().hex}")
    with Connection(uri) as connection:
        topology_of("intake", {}).declare(connection)
    emit(store, 4)
    before = unroutable()
    with relaying(store, uri):
        eventually(lambda: outbox_is_empty(store), "the outbox is empty")
        assert unroutable() - before == 4


def test_while_the_broker_is_away_nothing_leaves_the_outbox(store: Store, node: Node) -> None:
    uri = virtual_host(node, f"bus_{new_id().hex}")  # with no exchange on it
    emit(store, 4)
    with relaying(store, uri), Sender(uri):
        with Connection(uri) as connection:
            assert len(store.rows("outbox")) == 4
            topology().declare(connection)
        eventually(lambda: outbox_is_empty(store), "the outbox is empty")


def test_two_replicas_share_the_work_and_publish_nothing_twice(store: Store, amqp_uri: str) -> None:
    if store.database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite serves one process a database")
    subjects = emit(store, WINDOW * 5)
    with relaying(store, amqp_uri, relays=2), Sender(amqp_uri) as sender:
        eventually(lambda: outbox_is_empty(store), "the outbox is empty")
        found = heard(sender)
    assert sorted(found) == sorted(subjects)


def full_queue(amqp_uri: str, bindings: tuple[binding, ...] = ()) -> Queue:
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    return Queue("full", bindings=bindings, durable=True, queue_arguments=arguments)


def test_what_is_published_arrives_whatever_it_looks_like(amqp_uri: str) -> None:
    bus = open_connection(amqp_uri, name="test", heartbeat_seconds=HEARTBEAT_SECONDS)
    bodies = ["{}", "", "x" * 300_000, b"\xff" * 20_000, "{}"]  # the third comes in three frames
    kept: list[Mapping[str, Any]] = [{}, {"n": 2**40}, {"t": "ü"}, {"odd": [True, {"a": None}]}, {"t": "last"}]
    sent = [Outgoing("intake.events", "ReferralReceived", *parts) for parts in zip(bodies, kept, "abcde", strict=True)]
    arrived: list[Incoming] = []
    bus.consume(bus.open_channel(), "parrot.inbox", arrived.append)
    ConfirmingPublisher(bus).publish(sent)
    eventually(lambda: [bus.drain(0.1), len(arrived) == len(sent)][1], "all of them arrive")
    close_quietly(bus)
    assert [one.body for one in arrived] == [one if isinstance(one, bytes) else one.encode() for one in bodies]
    assert [(one.headers, one.message_id) for one in arrived] == [(one.headers, one.message_id) for one in sent]
    assert [one.delivery_tag for one in arrived] == [1, 2, 3, 4, 5]


def test_nothing_is_taken_from_a_connection_that_is_being_closed(amqp_uri: str) -> None:
    bus = open_connection(amqp_uri, name="test", heartbeat_seconds=HEARTBEAT_SECONDS)
    arrived: list[Incoming] = []
    bus.consume(bus.open_channel(), "parrot.inbox", arrived.append)
    with Sender(amqp_uri) as sender:
        for _ in range(50):
            sender.send("intake.events", "ReferralReceived", {})
        eventually(lambda: sender.depth("parrot.inbox") == 0, "the broker has sent them all")
    close_quietly(bus)  # which reads what has arrived up to the broker's goodbye
    assert not arrived


def test_what_a_full_queue_refuses_is_told_apart_from_what_it_took(amqp_uri: str) -> None:
    with Connection(amqp_uri) as connection:
        full_queue(amqp_uri)(connection.channel()).declare()
    bus = open_connection(amqp_uri, name="test", heartbeat_seconds=HEARTBEAT_SECONDS)
    messages = [Outgoing("", "full", "{}", {}, str(number)) for number in range(50)]
    published = ConfirmingPublisher(bus).publish(messages)
    close_quietly(bus)
    assert published.refused
    assert sorted(map(id, published.refused + published.taken)) == sorted(map(id, messages))


def test_what_is_refused_stays_in_the_outbox_until_there_is_room(store: Store, amqp_uri: str) -> None:
    events = Exchange("intake.events", type="topic", durable=True)
    with Connection(amqp_uri) as connection:
        queue = full_queue(amqp_uri, (binding(events, "#"),))(connection.channel())
        queue.declare()
        with relaying(store, amqp_uri) as (relay,), Sender(amqp_uri) as sender:
            emit(store, 30, relay)
            eventually(lambda: sender.depth("full") and sender.depth("parrot.inbox") >= 30, "some were refused")
            assert not outbox_is_empty(store)
            queue.delete()
            eventually(lambda: outbox_is_empty(store), "the outbox is empty")
            assert len(set(heard(sender))) == 30


class Reader:
    """A consumer of the parrot's inbox, in a thread of its own, that settles whatever arrives."""

    batch_limit = 8

    def __init__(self, amqp_uri: str) -> None:
        self.batches: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.gives_way: float = 0.0
        self.consumer = LaneConsumer(
            service="parrot",
            lane="inbox",
            connect=lambda: open_connection(amqp_uri, name="parrot", heartbeat_seconds=HEARTBEAT_SECONDS),
            heartbeat_seconds=HEARTBEAT_SECONDS,
            batch_limit=self.batch_limit,
            clock=SystemClock(),
            read=lambda delivery: NotUnderstood(delivery, Unreadable("nobody asked")),
            settle=self._settle,
            run_worker=lambda work, meanwhile: work(),
            seconds_to_back_off=lambda: self.gives_way,
        )
        self._thread = threading.Thread(target=self.consumer.run)

    def _settle(self, batch: Sequence[Arrived]) -> list[Settled]:
        self.meanwhile()
        self.batches.append(len(batch))
        return [Settled(one.delivery, Fate.DONE) for one in batch]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.stop()
        self._thread.join()


def test_who_gives_way_takes_a_whole_batch_and_waits_no_longer_than_for_that(amqp_uri: str) -> None:
    with Reader(amqp_uri) as reader, Sender(amqp_uri) as sender:
        eventually(lambda: reader.consumer.is_connected, "it listens")
        reader.gives_way = 600.0
        for _ in range(reader.batch_limit):
            sender.send("intake.events", "ReferralReceived", {})
        eventually(lambda: reader.batches == [reader.batch_limit], "all are settled at once")
        reader.gives_way = 0.001
        sender.send("intake.events", "ReferralReceived", {})
        eventually(lambda: reader.batches == [reader.batch_limit, 1], "it gives way for so long and no longer")


def unacknowledged(node: Node, amqp_uri: str) -> int:
    told = json.loads(node.control("list_channels", "--formatter", "json", "vhost", "messages_unacknowledged"))
    here = amqp_uri.rpartition("/")[2]
    return sum(int(channel["messages_unacknowledged"]) for channel in told if channel["vhost"] == here)


@pytest.mark.parametrize("count", [1, 100])
def test_what_is_settled_is_acknowledged_though_nothing_follows_it(node: Node, amqp_uri: str, count: int) -> None:
    with Reader(amqp_uri) as reader, Sender(amqp_uri) as sender:
        for _ in range(count):
            sender.send("intake.events", "ReferralReceived", {})
        eventually(lambda: sum(reader.batches) == count, "all is settled")
        eventually(lambda: unacknowledged(node, amqp_uri) == 0, "all is acknowledged")
    assert sum(reader.batches) == count


def test_who_stops_acknowledges_what_is_settled(amqp_uri: str) -> None:
    with Sender(amqp_uri) as sender:
        with Reader(amqp_uri) as reader:
            reader.meanwhile = reader.consumer._stopping.set
            sender.send("intake.events", "ReferralReceived", {})
            eventually(lambda: reader.batches, "it is settled")
        with Reader(amqp_uri) as again:
            sender.send("intake.events", "ReferralReceived", {})
            eventually(lambda: again.batches, "the next is settled")
    assert again.batches == [1]


def test_before_a_suspect_is_handled_all_that_is_settled_is_acknowledged(
    node: Node, amqp_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.bus.delivery.SUSPECT_AFTER_RETURNS", 0)
    taken: list[int] = []
    with Sender(amqp_uri) as sender:
        for _ in range(2):
            sender.send("intake.events", "ReferralReceived", {})
        eventually(lambda: sender.depth("parrot.inbox") == 2, "both wait")
        with Reader(amqp_uri) as reader:
            reader.meanwhile = lambda: taken.append(unacknowledged(node, amqp_uri))
            eventually(lambda: len(reader.batches) == 2, "both are settled")
    assert taken == [2, 1]
