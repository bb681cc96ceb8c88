"""Faults of retries, dead letters and replays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pika

from tests.faults.replay import Unsettled, replay
from tests.faults.scenario import fault
from tests.faults.stage import SAFE, Message, Stage
from tests.faults.strike import Strike, retry

RETENTION = timedelta(days=14)
MAX_FAILURES = 8
"""How often a message may fail and still be tried again."""


def unreadable(stage: Stage) -> list[Message]:
    """A message of each kind that can't be understood."""

    def altered(body: bytes | None = None, headers: dict[str, Any] | None = None, **changes: Any) -> Message:
        message = stage.compose(done=False)
        old = message.properties
        kept = {"message_id": old.message_id, "content_type": old.content_type, "delivery_mode": 2}
        properties = pika.BasicProperties(headers={**old.headers, **(headers or {})}, **{**kept, **changes})
        return replace(message, body=message.body if body is None else body, properties=properties)

    return [
        altered(content_type="application/x-unheard-of"),
        altered(body=b"\x80\x02}q\x00."),
        altered(body=b"[" * 100_000),
        altered(body=b'{"run": 1}'),
        altered(headers={"cloudEvents_type": "NeverDefined"}),
        altered(headers={"cloudEvents_id": "not an id"}),
        altered(headers={"cloudEvents_time": "yesterday"}),
    ]


@fault(
    20,
    "undecodable or unknown content type",
    made="messages of an unknown type, not JSON, nested too deep, of the wrong shape, of an unknown event, "
    "without a usable id or time, among good ones",
    seen="what can't be read is acknowledged in silence (the proxy drops what goes to the dead letters)",
    sabotage="silent",
    short=10,
    long=200,
    note="Parked at once, each with its reason.",
)
def undecodable(stage: Stage) -> None:
    for one in unreadable(stage):
        stage.publish([one])
        stage.send(stage.size // 10)
    stage.over()


@fault(
    22,
    "retry store away while retrying",
    made="handlers fail; as the first message is put off the retry exchange is deleted, and made again later",
    seen="a message is acknowledged whether or not the retry queue has it (the proxy drops what goes there)",
    sabotage="silent",
    short=20,
    long=200,
)
def retry_store_away(stage: Stage) -> None:
    def delete(frame: Any) -> bytes:
        with stage.rig.channel() as channel:
            channel.exchange_delete("probe.retry")
        return bytes(frame.raw)

    strike = Strike(retry, 1, delete)
    before = stage.rig.proxy.opened
    with stage.rig.kept_bindings("probe.retry"), stage.rig.proxy.filtered(strike):
        stage.send(stage.size, "fail", times=2)
        stage.send(stage.size)
        stage.wait(lambda: strike.struck.is_set() or stage.rig.sabotage, "a message was put off")
        stage.wait(lambda: stage.rig.proxy.opened > before or stage.rig.sabotage, "the probe connects anew")
    stage.over()


@fault(
    23,
    "dead-letter target missing, later restored",
    made="the dead letters are unbound while messages arrive that must be parked, and bound again later",
    seen="a publisher without the mandatory flag: the dead letters are gone",
    sabotage="not_mandatory",
    short=10,
    long=100,
)
def dead_letters_missing(stage: Stage) -> None:
    before = stage.rig.proxy.published["probe.retry"]
    with stage.rig.unbound("probe.retry", routing_key="dead"):
        stage.send(stage.size, "invalid", done=False)
        stage.send(stage.size)
        stage.wait(lambda: stage.rig.proxy.published["probe.retry"] > before, "one was to be parked")
    stage.over()


@fault(
    24,
    "park and replay twice",
    made="messages are parked, the cause is mended, and `leeward dead replay` puts every one back into its lane; it is "
    "cut off before it can take them out of the dead letters, and so they are replayed again",
    seen="the inbox forgets what was handled (a trigger): the second replay is done again",
    sabotage="forget_inbox",
    short=10,
    long=200,
)
def replayed_twice(stage: Stage) -> None:
    stage.send(stage.size, "invalid", done=False)
    stage.wait(lambda: stage.lying_dead() == stage.size, "they are parked")
    (stage.rig.control / "mended").touch()
    stage.expect_done_instead()
    with stage.rig.proxy.filtered(Unsettled()):
        replay(stage.rig)
    stage.wait(lambda: len(stage.effects()) == stage.size, "they are done")
    stage.wait(lambda: stage.lying_dead() == stage.size, "they are among the dead letters still")
    replay(stage.rig)
    stage.over()


@fault(
    25,
    "replay after the inbox's retention",
    made="what was handled lies among the dead letters as well, half of it for a handler that is declared safe by its "
    f"business key; {RETENTION.days + 1} days later by the clock, when the inbox was purged, `leeward dead replay` is "
    "told to put all of it back",
    seen="the command refuses nothing, and the handler forgets its business key: all is done again",
    sabotage="unrefused forget_key",
    short=10,
    long=200,
    differs=True,
    note="What is for the other handler is refused and stays parked; the safe one does nothing with what it knows.",
)
def replayed_too_late(stage: Stage) -> None:
    stage.send(stage.size)
    stage.send(stage.size, event=SAFE)
    handled = list(stage.sent.values())
    stage.wait(lambda: len(stage.effects()) == len(handled), "they are done")
    stage.park(handled)
    stage.to_be_parked = stage.size
    stage.rig.clock.advance(RETENTION + timedelta(days=1))
    stage.rig.change("DELETE FROM inbox")
    replay(stage.rig)
    stage.over()


@fault(
    27,
    "a retry storm through all tiers",
    made="handlers fail up to eight times, or say 'not yet' up to nine times, so that messages go through "
    "every retry queue; a policy cuts each queue's delay short",
    seen="a message is acknowledged whether or not the retry queue has it (the proxy drops what goes there)",
    sabotage="silent",
    short=40,
    long=600,
)
def retry_storm(stage: Stage) -> None:
    messages = [
        stage.compose(stage.random.choice(("fail", "not_yet")), times=stage.random.randint(1, MAX_FAILURES))
        for _ in range(stage.size)
    ]
    messages += [stage.compose("fail", times=MAX_FAILURES), stage.compose("not_yet", times=MAX_FAILURES + 1)]
    stage.random.shuffle(messages)
    stage.publish(messages)
    stage.over()
