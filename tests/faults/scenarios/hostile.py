"""Faults that somebody makes on purpose, or another team's client by mistake."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from signal import SIGTERM
from typing import Any

import pika
import psutil
from kombu import Connection, Exchange, Queue

from tests.faults.scenario import fault
from tests.faults.scenarios.producing import ask
from tests.faults.stage import EXCHANGE, LANE, PLAIN, Message, Stage
from tests.mutations.values import Encoded, nested, teach_pika

MEGABYTE = 1_048_576
BIG_BYTES = 10 * MEGABYTE
GROWN_AT_MOST = 50 * MEGABYTE
TOO_EARLY = "0001-01-01T00:00:00+14:00"


@contextmanager
def without_restart(stage: Stage) -> Iterator[None]:
    """Holds it against the probe if it ends meanwhile."""
    starts = stage.rig.probe.starts
    yield
    if stage.rig.probe.starts != starts:
        stage.also_wrong.append(f"{stage.rig.probe.starts - starts} restarts")


def altered(stage: Stage, *, done: bool, act: str = "", data: dict[str, Any] | None = None, **changes: Any) -> Message:
    """An event with other headers or properties than it should have."""
    message = stage.compose(done=done, **{"act": act, "times": 1, **(data or {})})
    old, headers = message.properties, changes.pop("headers", {})
    kept = {"message_id": old.message_id, "content_type": old.content_type, "delivery_mode": 2}
    body = changes.pop("body", message.body)
    properties = pika.BasicProperties(headers={**old.headers, **headers}, **{**kept, **changes})
    return replace(message, body=body, properties=properties)


@fault(
    33,
    "an origin that is forged",
    made="another publisher's user publishes its own event with headers by which it is the asker's: `leeward_exchange` "
    "and all that the chassis writes itself, `x-death`, CC to other lanes and queues",
    seen="a service that believes its own headers from anybody: what was forged is done",
    sabotage="believe_headers",
    short=10,
    long=200,
    note="With the users of `leeward topology --definitions`, each on every exchange: tests/system/test_forging.py.",
)
def forged_origin(stage: Stage) -> None:
    with without_restart(stage):
        for _ in range(stage.size):
            asked = altered(
                stage,
                done=False,
                headers={
                    "leeward_exchange": EXCHANGE,
                    "leeward_routing_key": PLAIN,
                    "leeward_user": "asker",
                    "leeward_lane": "inbox",
                    "x-death": [{"queue": LANE, "exchange": EXCHANGE, "routing-keys": [PLAIN], "count": 1}],
                    "CC": [PLAIN, "inbox.replay", LANE],
                },
            )
            stage.publish([replace(asked, exchange="gossip.events", routing_key="ProbeHinted")])
            stage.send()
        stage.over()
        stage.wait(lambda: len(stage.effects()) >= stage.size, "the others are done")


def odd_ones(stage: Stage) -> list[Message]:
    """Messages that once stopped a service."""
    one = partial(altered, stage)
    return [
        one(done=True, headers={"leeward_exchange": 5}),
        one(done=True, headers={"leeward_exchange": 5, "leeward_routing_key": [1], "leeward_attempts": {"a": 1}}),
        one(done=False, headers={"leeward_attempts": "x"}, body=b"[]"),
        one(done=True, headers={"x-delivery-count": "x"}),
        one(done=True, headers={"x-delivery-count": [2]}),
        one(done=True, headers={"x-delivery-count": 2**40}),
        one(done=False, headers={"cloudEvents_sequence": [1]}),
        one(done=False, headers={"cloudEvents_sequence": "1" * 5_000}),
        one(done=False, headers={"cloudEvents_time": TOO_EARLY}),
        one(done=True, act="not_yet", headers={"leeward_first_failed_at": "x", "leeward_waits": None}),
        one(done=True, act="fail", headers={"leeward_first_failed_at": 5, "leeward_attempts": None}),
        one(done=True, timestamp=2**63),
        one(done=True, headers={b"\xff\xfe": "a name that is no text"}),
        one(done=True, headers={"odd": b"\xff\xfe"}),
        one(done=True, headers={"odd": nested(20)}),
        one(done=False, data={"at": TOO_EARLY}),
        one(done=False, data={"act": "\ud83d"}),
        one(done=False, data={"act": "a\x00b"}),
        one(done=False, body=b'{"a":' * 100_000),
        one(done=False, body=b""),
        one(done=False, headers={"odd": Encoded(b"T" + (2**63).to_bytes(8, "big"))}),
        one(done=False, headers={"odd": nested(3_000)}),
        one(done=False, headers={"odd": "x" * 60_000}),
    ]


@fault(
    34,
    "a message that nobody should send",
    made="headers and properties of the wrong kind, of which each once ended the process for ever: numbers and times "
    "that are none, names that are no text, headers that a library can't read or a frame has no room for, instants "
    "that overflow, halves of characters; among good ones",
    seen="a service that doesn't catch what goes wrong in reading: it ends with the first and comes back for it",
    sabotage="stumble_over_messages",
    short=1,
    long=20,
    note="What is only odd is done; what can't be read is parked at once, with its reason; the process never ends.",
)
def odd_messages(stage: Stage) -> None:
    teach_pika()
    with without_restart(stage):
        for _ in range(stage.size):
            for message in odd_ones(stage):
                stage.publish([message])
                stage.send()
        stage.over()
        stage.collect_refused(stage.to_be_parked)


@fault(
    35,
    "a command that nobody should send",
    made="commands without an address or with one that is no caller's, without content type, pickled, not JSON, nested "
    "too deep, of eleven megabytes, with odd nameko headers, and with CC to the commands of all, among good ones",
    seen="a service that doesn't catch what goes wrong in reading: it ends with the first and comes back for it",
    sabotage="stumble_over_commands",
    short=1,
    long=20,
    note="Each that can be answered is answered with what is wrong with it.",
)
def odd_commands(stage: Stage) -> None:
    teach_pika()
    good, address = b'{"args": [], "kwargs": {}}', str(stage.new_id())
    odd: list[tuple[bytes, dict[str, Any]]] = [
        (good, {}),
        (good, {"reply_to": address}),
        (good, {"reply_to": address, "content_type": None}),
        (good, {"reply_to": "probe.inbox", "content_type": "application/json"}),
        (good, {"reply_to": "x" * 255, "correlation_id": "y" * 255}),
        (good, {"reply_to": address, "headers": {"nameko.call_id_stack": "no list"}}),
        (good, {"reply_to": address, "headers": {"nameko.call_id_stack": [1], "odd": Encoded(b"T" + b"\xff" * 8)}}),
        (good, {"reply_to": address, "headers": {"CC": ["probe.record", "intake.assess", "nowhere.health"]}}),
        (b"{", {"reply_to": address}),
        (b"[" * 100_000, {"reply_to": address}),
        (b"[]", {"reply_to": address}),
        (json.dumps({"args": [1, 2], "kwargs": {"service": 1}}).encode(), {"reply_to": address}),
        (pickle.dumps({"args": [], "kwargs": {}}), {"content_type": "application/x-python-serialize"}),
        (b"x" * (BIG_BYTES + MEGABYTE), {"reply_to": address}),
    ]
    with without_restart(stage):
        for _ in range(stage.size):
            for number, (body, properties) in enumerate(odd):
                kept = pika.BasicProperties(**{"content_type": "application/json", "delivery_mode": 2, **properties})
                key = ("probe.record", "probe.health", "probe.unheard")[number % 3]
                stage.publish([Message("nameko-rpc", key, kept, body)])
                ask(stage)
        stage.over()


@fault(
    36,
    "bodies of ten megabytes",
    made="messages of ten megabytes each, all waiting before the probe looks, among good ones",
    seen="a service without a limit: it holds them all at once",
    sabotage="no_limit",
    short=8,
    long=60,
    note=f"The probe may grow by {GROWN_AT_MOST // MEGABYTE} MB while it parks them.",
)
def too_large(stage: Stage) -> None:
    stage.send(1, "gate", seconds=stage.deadline)
    stage.wait(stage.busy, "the probe waits at the gate")
    for _ in range(stage.size):
        stage.publish([altered(stage, done=False, body=b"x" * BIG_BYTES)])
        stage.send()
    probe = psutil.Process(stage.rig.probe.process.pid)
    before, most = probe.memory_info().rss, 0

    def is_parked() -> bool:
        nonlocal most
        most = max(most, probe.memory_info().rss)
        return stage.lying_dead() >= stage.size

    with without_restart(stage):
        stage.rig.open_gate()
        stage.over()
        stage.wait(is_parked, "they are among the dead letters")
        stage.collect_refused(stage.size)
    if most - before > GROWN_AT_MOST:
        stage.also_wrong.append(f"grown by {(most - before) // MEGABYTE} MB")


@fault(
    37,
    "a message that crashes the process before a handler is reached",
    made="reading one message SIGKILLs the process, each time, among others that do no harm",
    seen="the store forgets how often it was tried alone (a trigger): it is tried until the broker has had enough",
    sabotage="forget_attempts",
    short=20,
    long=300,
    note="The culprit is taken alone once it is suspected, counted before it is read, and then parked.",
)
def crashing_reading(stage: Stage) -> None:
    messages = [stage.compose() for _ in range(stage.size)]
    messages.insert(stage.size // 2, stage.compose("crash_reading", done=False))
    stage.publish(messages)
    stage.over()


@fault(
    38,
    "queues that the version before has left",
    made="the queues of commands and of what the broker parked are there with the properties that they had in the "
    "version before, as a broker's folder keeps them, while events wait",
    seen="something lies in them still, so that they must not be thrown away: the probe waits for a person",
    sabotage="old_queues_in_use",
    short=10,
    long=100,
)
def old_queues(stage: Stage) -> None:
    stage.rig.stop(SIGTERM)
    stage.wait(lambda: stage.consumers() == 0, "the probe has ended")
    with Connection(stage.rig.direct_uri) as connection:
        channel = connection.default_channel
        for queue in ("rpc-probe", "probe.limit"):
            channel.queue_delete(queue)
        commands, retry = (Exchange(name, type="topic", durable=True) for name in ("nameko-rpc", "probe.retry"))
        limits = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
        Queue("rpc-probe", commands, "probe.*", durable=True)(channel).declare()
        Queue("probe.limit", retry, "*.limit", durable=True, queue_arguments=limits)(channel).declare()
        if "old_queues_in_use" in stage.rig.sabotage:
            connection.Producer().publish({}, exchange="nameko-rpc", routing_key="probe.health")
    stage.send(stage.size)
    stage.rig.start()
    stage.over()
    ask(stage)
