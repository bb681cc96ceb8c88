"""Faults of the broker itself."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from tests.faults.rig import port_of
from tests.faults.scenario import fault
from tests.faults.stage import LANE, Stage
from tests.faults.strike import Strike, follow_up
from tests.support import proxy
from tests.support.proxy import Frame

ACK_TIMEOUT_MILLISECONDS, TICK_MILLISECONDS = 2_000, 500
LONGER_SECONDS = 4.0
USUAL = {"consumer_timeout": 1_800_000, "channel_tick_interval": 60_000}


@fault(
    6,
    "broker SIGKILLed mid-batch and restarted",
    made="as a publish in the middle goes by the whole Erlang process group is SIGKILLed; the same folder is "
    "started again on the same port",
    seen="a publisher that doesn't wait for confirms: what was on its way is lost",
    sabotage="unconfirmed",
    short=200,
    long=1000,
    differs=True,
    note="The queues are older than a few seconds: RabbitMQ 3.10.8 forgets what a younger quorum queue holds.",
)
def broker_killed(stage: Stage) -> None:
    def kill(frame: Frame) -> bytes:
        stage.rig.ground.kill_broker()
        return frame.raw

    strike = Strike(follow_up, stage.size // 2, kill)
    with stage.rig.proxy.filtered(strike):
        stage.send_behind_gate()
        remember_queues(stage)
        stage.rig.open_gate()
        stage.wait(strike.struck.is_set, "the publish in the middle went by")
    stage.rig.ground.bury_broker()
    stage.rig.ground.start_broker()
    stage.over()


@fault(
    9,
    "memory/disk alarm blocks publishing",
    made="rabbitmqctl sets the memory watermark, and then the disk limit, so that an alarm is raised while "
    "the probe has follow-ups to publish, and sets them back later",
    seen="a publisher that doesn't wait for confirms: what the blocked broker didn't read is lost",
    sabotage="unconfirmed",
    short=40,
    long=400,
)
def alarm(stage: Stage) -> None:
    publish_into(stage, "set_vm_memory_high_watermark", ("absolute", "1MB"), ("0.4",))
    publish_into(stage, "set_disk_free_limit", ("mem_relative", "1000"), ("50MB",))
    stage.over()


def publish_into(stage: Stage, setting: str, alarming: Sequence[str], usual: Sequence[str]) -> None:
    """Raises an alarm while the probe has follow-ups to publish, and ends it when all that they follow is done."""
    for left in ("busy", "open"):
        (stage.rig.control / left).unlink(missing_ok=True)
    seen = stage.rig.proxy.seen
    blocked = seen[False, proxy.CONNECTION_BLOCKED]
    stage.send_behind_gate()
    stage.rig.node.control(setting, *alarming)
    try:
        stage.rig.open_gate()
        stage.wait(lambda: seen[False, proxy.CONNECTION_BLOCKED] > blocked, "the broker says that it is blocked")
        stage.wait(lambda: stage.effects().keys() >= stage.expected, "the probe goes on with its own work")
    finally:
        stage.rig.node.control(setting, *usual)


@fault(
    28,
    "three-node cluster loses its leader",
    made="three private nodes in a cluster; as a publish in the middle goes by, the node that leads the "
    "lane's queue and holds the probe's connections is SIGKILLed, and the proxy, like any load balancer, "
    "goes on with another",
    seen="a publisher that doesn't wait for confirms: what was on its way is lost",
    sabotage="unconfirmed",
    short=200,
    long=1000,
    cluster=True,
)
def leader_lost(stage: Stage) -> None:
    cluster = stage.rig.cluster
    assert cluster

    led_by = cluster.leader(stage.rig.name, LANE)
    assert port_of(led_by) == stage.rig.proxy.target, "the probe's node leads its lane"

    def kill(frame: Frame) -> bytes:
        stage.rig.proxy.target = port_of(cluster.nodes[2])
        cluster.kill(led_by)
        return frame.raw

    strike = Strike(follow_up, stage.size // 2, kill)
    with stage.rig.proxy.filtered(strike):
        stage.send_behind_gate()
        remember_queues(stage)
        stage.rig.open_gate()
        stage.wait(strike.struck.is_set, "the publish in the middle went by")
    stage.over()


@fault(
    29,
    "consumer ack timeout",
    made=f"the broker's consumer timeout is set to {ACK_TIMEOUT_MILLISECONDS / 1000:g} s, and a handler takes longer",
    seen="the inbox forgets what was handled (a trigger): what the broker takes back is done twice",
    sabotage="forget_inbox",
    short=20,
    long=200,
)
def ack_timeout(stage: Stage) -> None:
    low = {"consumer_timeout": ACK_TIMEOUT_MILLISECONDS, "channel_tick_interval": TICK_MILLISECONDS}
    set_broker(stage, low)
    try:
        opened = stage.rig.proxy.opened
        stage.rig.proxy.reset_all()
        stage.wait(lambda: stage.rig.proxy.opened > opened and stage.consumers(), "the probe has new channels")
        closed = stage.rig.proxy.seen[False, proxy.CHANNEL_CLOSE]
        messages = [stage.compose() for _ in range(stage.size)]
        stage.publish([stage.compose("nap", seconds=LONGER_SECONDS), *messages])
        stage.wait(lambda: stage.rig.proxy.seen[False, proxy.CHANNEL_CLOSE] > closed, "the broker closes the channel")
    finally:
        set_broker(stage, USUAL)
    stage.rig.probe.send(signal.SIGTERM)
    stage.over()


def remember_queues(stage: Stage) -> None:
    """Has the broker write down which queues it has, as it does a few seconds after one is declared.

    RabbitMQ 3.10.8 killed before that starts a quorum queue of such youth afresh, and empty, though its log is on disk.
    """
    stage.rig.node.control("eval", "dets:sync(ra_directory_reverse).")


def set_broker(stage: Stage, values: dict[str, int]) -> None:
    expression = " ".join(f"application:set_env(rabbit, {name}, {value})," for name, value in values.items())
    stage.rig.node.control("eval", expression.removesuffix(",") + ".")
