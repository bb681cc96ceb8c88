"""The front-end's publisher: what was sent is never lost, whatever the broker does."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pika
import pytest

from chassis.privacy.sealing import make_keys
from contracts.reference import reference_for
from contracts.shape import InvalidShape
from leeward.runtime import local_broker
from leeward.runtime.free_ports import free_ports
from leeward.runtime.local_broker import Node
from tests.support.bus import Sender, Tap, eventually
from tests.support.samples import submission
from tests.support.system import System, virtual_host
from web.publisher import sender
from web.publisher.publisher import Publisher
from web.publisher.spool import Spool


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys", "intake")
    return tmp_path / "keys"


def somebody_listens(node: Node, name: str) -> str:
    """A virtual host with the front-ends' exchange and a queue that hears it."""
    amqp_uri = virtual_host(node, name)
    with pika.BlockingConnection(pika.URLParameters(amqp_uri)) as connection:
        channel = connection.channel()
        channel.exchange_declare("web.events", "topic", durable=True)
        channel.queue_declare("listener", durable=True)
        channel.queue_bind("listener", "web.events", "#")
    return amqp_uri


def test_a_request_is_on_disk_and_sealed_while_the_broker_is_away(keys: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    publisher = Publisher(f"amqp://guest:guest@127.0.0.1:{port}/", keys=keys, spool=tmp_path / "spool")
    receipt = publisher.request_help(submission())
    assert not receipt.delivered
    assert receipt.reference == reference_for(receipt.submission_id)
    (spooled,) = (tmp_path / "spool").iterdir()
    assert "robin" not in spooled.read_text()
    assert spooled.stat().st_size < 10_000


def test_what_was_spooled_is_delivered_by_another_process_later(system: System, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    keys, spool = system.workspace.keys, tmp_path / "spool"
    away = Publisher(f"amqp://guest:guest@127.0.0.1:{port}/", keys=keys, spool=spool)
    sent = {str(away.request_help(submission()).submission_id) for _ in range(3)}
    with Tap(system.amqp_uri, ["intake"]) as tap:
        back = Publisher(system.amqp_uri, keys=keys, spool=spool)
        assert back.deliver_spooled() == 0
        for submission_id in sent:
            tap.wait_for("ReferralReceived", lambda one, id_=submission_id: one.headers["correlationid"] == id_)
        back.close()
    assert len(Spool(spool)) == 0


def test_what_finds_no_queue_stays_in_the_spool(node: Node, keys: Path, tmp_path: Path) -> None:
    nobody = virtual_host(node, "nobody_listens")
    publisher = Publisher(nobody, keys=keys, spool=tmp_path / "spool")
    assert not publisher.request_help(submission()).delivered
    assert publisher.deliver_spooled() == 1
    publisher.close()


def test_a_connection_that_was_lost_is_opened_again(node: Node, keys: Path, tmp_path: Path) -> None:
    amqp_uri = somebody_listens(node, "cut")
    publisher = Publisher(amqp_uri, keys=keys, spool=tmp_path / "spool")
    assert publisher.request_help(submission()).delivered
    node.control("close_all_connections", "--vhost", "cut", "cut by a test")
    publisher.request_help(submission())
    assert publisher.deliver_spooled() == 0
    publisher.close()


def test_nobody_waits_for_long_when_the_broker_hangs(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes connections and never says a word. All wait together, and no longer than they have patience."""
    monkeypatch.setattr(sender, "PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(20) as people:
        publisher = Publisher(
            f"amqp://guest:guest@127.0.0.1:{silent.getsockname()[1]}/", keys=keys, spool=tmp_path / "spool"
        )
        receipts = [people.submit(publisher.request_help, submission()) for _ in range(20)]
        assert not any(receipt.result(timeout=60).delivered for receipt in receipts)
        assert len(Spool(tmp_path / "spool")) == 20


def deliver_until(done: threading.Event, publisher: Publisher) -> int:
    """Looks through the spool again and again, as a site's background thread does now and then."""
    while not done.is_set():
        publisher.deliver_spooled()
    return publisher.deliver_spooled()


def test_what_many_people_send_at_once_arrives_once_each(node: Node, keys: Path, tmp_path: Path) -> None:
    amqp_uri = somebody_listens(node, "many")
    publisher = Publisher(amqp_uri, keys=keys, spool=tmp_path / "spool")
    with Sender(amqp_uri) as listener:
        with ThreadPoolExecutor(22) as people:
            done = threading.Event()
            looking = [people.submit(deliver_until, done, publisher) for _ in range(2)]
            receipts = list(people.map(lambda _: publisher.request_help(submission()), range(300)))
            done.set()
            assert [one.result() for one in looking] == [0, 0]
        publisher.close()
        assert all(receipt.delivered for receipt in receipts)
        assert listener.depth("listener") == 300
    assert len(Spool(tmp_path / "spool")) == 0


def test_a_form_that_does_not_fit_is_refused_before_anything_is_sent(keys: Path, tmp_path: Path) -> None:
    publisher = Publisher("amqp://guest:guest@127.0.0.1:1/", keys=keys, spool=tmp_path / "spool")
    with pytest.raises(InvalidShape, match="age: Must be greater than"):
        publisher.request_help(submission(age=200))
    assert len(Spool(tmp_path / "spool")) == 0


def test_a_broker_that_restarts_keeps_what_it_has_confirmed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Queues and messages outlive the node: it is started again from the same folder."""
    folder = tmp_path_factory.mktemp("restarted")
    node = local_broker.start(folder)
    try:
        with pika.BlockingConnection(pika.URLParameters(node.amqp_uri)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
            channel.basic_publish("", "kept", b"1", pika.BasicProperties(delivery_mode=2))
        node.stop()
        node = local_broker.start(folder)
        with Sender(node.amqp_uri) as sender:
            assert eventually(lambda: sender.depth("kept"), "the message is there again") == 1
    finally:
        node.stop()
