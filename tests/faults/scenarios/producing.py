"""Faults on the way from a commit to the broker."""

from __future__ import annotations

from chassis.rpc import NoAnswer
from tests.faults.scenario import fault
from tests.faults.stage import Stage
from tests.faults.strike import Strike, follow_up
from tests.support import proxy
from tests.support.proxy import Frame

ANSWER_SECONDS = 3.0
PER_KILL = 100
"""The duplicates on the wire that one kill may leave at most."""


def ask(stage: Stage) -> None:
    """Gives the probe a command and asks again, as a person does, until there is an answer."""
    number, case_id = stage.take_number(), stage.new_id()
    client = stage.rig.client()
    asked = {"case_id": str(case_id), "run": stage.run, "number": number}

    def answered() -> bool:
        try:
            client.call("probe", "record", timeout=ANSWER_SECONDS, command_id=case_id, **asked)
        except NoAnswer:
            return False
        return True

    try:
        stage.wait(answered, "the command is answered")
    finally:
        client.close()


def kill_at(stage: Stage, point: str) -> None:
    """Gives commands, and kills the probe at this point of the one in the middle."""
    for number in range(stage.size):
        if number == stage.size // 2:
            stage.rig.arm(point)
            stage.over()
        ask(stage)


@fault(
    1,
    "producer killed between business write and commit",
    made="SIGKILL from within the producer's own process, as its engine is about to commit a command's rows; "
    "the caller asks again with the same business key",
    seen="the handler commits its rows before it emits: the follow-up is lost",
    sabotage="commit_early",
    short=4,
    long=40,
    differs=True,
)
def killed_before_commit(stage: Stage) -> None:
    kill_at(stage, "before_commit")


@fault(
    2,
    "killed after commit, before publish",
    made="SIGKILL from within the producer's own process, the moment its engine has committed a command's rows",
    seen="events are kept in memory alone (a trigger empties the outbox): the follow-up is lost",
    sabotage="lose_outbox",
    short=4,
    long=40,
    differs=True,
)
def killed_after_commit(stage: Stage) -> None:
    kill_at(stage, "after_commit")


@fault(
    3,
    "relay killed after publish, before confirm",
    made="the proxy counts publishes; from one in the middle on it drops them, so that no confirm comes; when the "
    "process has come to rest it is SIGKILLed",
    seen="a publisher that doesn't wait for confirms: what was on the line is lost",
    sabotage="unconfirmed",
    short=60,
    long=400,
    differs=True,
    duplicates_at_most=PER_KILL,
)
def killed_before_confirm(stage: Stage) -> None:
    strike = Strike(follow_up, stage.size // 2, Frame.drop_message, again=True)
    with stage.rig.proxy.filtered(strike):
        stage.send(stage.size)
        stage.wait(strike.struck.is_set, "the publish in the middle went by")
        stage.rest()
        stage.rig.kill()
        stage.over()
        stage.wait(lambda: not stage.consumers(), "its connections are gone")


@fault(
    4,
    "relay killed after confirm, before marking it sent",
    made="SIGKILL from within the process, as it is about to delete confirmed rows from the outbox",
    seen="a message gets a new id each time it is published: its readers can't tell the second from the first",
    sabotage="new_ids",
    short=60,
    long=400,
    differs=True,
    duplicates_at_most=PER_KILL,
)
def killed_before_marking(stage: Stage) -> None:
    stage.rig.arm("before_delete")
    stage.send(stage.size)

    def struck() -> bool:
        if stage.rig.is_armed("before_delete"):
            stage.send()  # so that there is always something to mark
        return not stage.rig.is_armed("before_delete")

    stage.wait(struck, "confirmed rows were about to be deleted")
    stage.over()


@fault(
    7,
    "broker nacks (full queue)",
    made="the reader's queue is bounded to one message and rejects publishes; later it is unbounded again",
    seen="a publisher that doesn't wait for confirms: what was refused is lost",
    sabotage="unconfirmed",
    short=40,
    long=400,
    note="The broker nacks a whole publish if one of its queues refuses it, so queues with room get it again "
    "each time.",
)
def queue_full(stage: Stage) -> None:
    nacks = stage.rig.proxy.seen[False, proxy.NACK]

    def nacked() -> bool:
        stage.send()  # what comes in one go is taken whole, however full the queue is then
        return stage.rig.proxy.seen[False, proxy.NACK] > nacks

    stage.rig.policy("full", "^reader$", {"max-length": 1, "overflow": "reject-publish"})
    try:
        stage.wait(nacked, "the broker nacks")
        stage.send(stage.size)
        stage.wait(lambda: stage.effects().keys() >= stage.expected, "all of it is committed")
    finally:
        stage.rig.ctl("clear_policy", "full")
    stage.over()


@fault(
    8,
    "unroutable with mandatory",
    made="the retry queues are unbound, so that a message put off finds no queue; later they are bound again",
    seen="a publisher without the mandatory flag: the broker drops the message and says nothing",
    sabotage="not_mandatory",
    short=10,
    long=100,
)
def unroutable(stage: Stage) -> None:
    before = stage.rig.proxy.published["probe.retry"]
    with stage.rig.unbound("probe.retry"):
        stage.send(stage.size, "fail", times=3)
        stage.send(stage.size)
        stage.wait(lambda: stage.rig.proxy.published["probe.retry"] > before, "a message was put off")
    stage.over()
