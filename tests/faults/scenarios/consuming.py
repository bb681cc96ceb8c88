"""Faults while messages are in a consumer's hands."""

from __future__ import annotations

import signal

from tests.faults.rig import HEARTBEAT_SECONDS
from tests.faults.scenario import fault
from tests.faults.scenarios.producing import PER_KILL
from tests.faults.stage import Stage
from tests.faults.strike import Strike, acknowledgement
from tests.support.proxy import Frame

BATCH = 200
NAP_SECONDS, HOG_SECONDS = 2.2 * HEARTBEAT_SECONDS, 3.5 * HEARTBEAT_SECONDS
SLOW_SECONDS = 0.2


@fault(
    13,
    "consumer SIGKILLed before commit",
    made="SIGKILL from within the process, as its engine is about to commit a batch",
    seen="a consumer that acknowledges before it commits: the batch is lost",
    sabotage="no_ack",
    short=60,
    long=1000,
    differs=True,
    duplicates_at_most=PER_KILL,
)
def killed_before_commit(stage: Stage) -> None:
    stage.rig.arm("before_commit")
    stage.send(stage.size)
    stage.wait(lambda: not stage.rig.is_armed("before_commit"), "the commit was reached")
    stage.over()


@fault(
    14,
    "consumer killed after commit, before ack",
    made="the proxy holds the acknowledgement of the first batch and SIGKILLs the process",
    seen="the inbox forgets what was handled (a trigger): the batch is done twice",
    sabotage="forget_inbox",
    short=60,
    long=1000,
    differs=True,
    duplicates_at_most=PER_KILL,
)
def killed_before_ack(stage: Stage) -> None:
    def kill(frame: Frame) -> bytes:
        stage.rig.kill()
        stage.over()
        return b""

    strike = Strike(acknowledgement, 1, kill, hold=True)
    with stage.rig.proxy.filtered(strike):
        stage.send(stage.size)
        stage.wait(strike.struck.is_set, "a batch is acknowledged")


@fault(
    15,
    "SIGTERM with long handlers under load",
    made="SIGTERM while a batch of slow handlers runs and as much again waits; in the long form they take "
    "longer than a stop may, and the process leaves them unfinished",
    seen="a consumer that acknowledges before it commits: what was in hand or waiting is lost",
    sabotage="no_ack",
    short=10,
    long=120,
)
def stopped_under_load(stage: Stage) -> None:
    stage.send(stage.size, "nap", seconds=SLOW_SECONDS)
    stage.wait(stage.busy, "a handler runs")
    stage.send(stage.size)
    starts = stage.rig.probe.starts
    stage.rig.probe.send(signal.SIGTERM)
    stage.wait(lambda: stage.rig.probe.starts > starts, "the process has ended and another is there")
    stage.over()


@fault(
    16,
    "handler longer than twice the heartbeat",
    made=f"a handler that sleeps {NAP_SECONDS:g} s and lets the process answer heartbeats, and one that for "
    f"{HOG_SECONDS:g} s lets it do nothing, which the broker takes for its death",
    seen="the inbox forgets what was handled (a trigger): what the broker takes back meanwhile is done twice",
    sabotage="forget_inbox",
    short=10,
    long=200,
    note="The second kind loses its connection; what it did is committed and known when the broker brings it again.",
)
def longer_than_the_heartbeat(stage: Stage) -> None:
    stage.send(1, "hog", seconds=HOG_SECONDS)
    stage.send(stage.size)
    stage.send(1, "nap", seconds=NAP_SECONDS)
    stage.send(stage.size)
    stage.over()


@fault(
    18,
    "one poison message in a batch of 200",
    made=f"{BATCH} messages wait for a batch, and the handler of one of them always raises",
    seen="the handler commits its rows one by one: those before the poison are done twice",
    sabotage="commit_early",
    short=BATCH,
    long=BATCH,
    differs=True,
    note="The poison itself is tried again and then parked.",
)
def one_poison(stage: Stage) -> None:
    stage.send(1, "gate", seconds=stage.deadline)
    stage.wait(stage.busy, "the probe waits at the gate")
    messages = [stage.compose() for _ in range(stage.size - 1)]
    poison = stage.compose("fail", times=99, done=False)
    messages.insert(stage.random.randrange(50, stage.size - 1), poison)
    stage.publish(messages)
    stage.rig.open_gate()
    stage.over()


@fault(
    19,
    "a message that crashes the process",
    made="the handler of one message SIGKILLs its own process, each time, among others that do no harm",
    seen="a consumer that acknowledges before it commits: the messages in hand with it are lost",
    sabotage="no_ack",
    short=20,
    long=300,
    note="The culprit is taken alone once it is suspected, and then parked.",
)
def crashing_message(stage: Stage) -> None:
    messages = [stage.compose() for _ in range(stage.size)]
    messages.insert(stage.size // 2, stage.compose("crash", done=False))
    stage.publish(messages)
    stage.over()
