"""Faults that need two replicas of one service on one database."""

from __future__ import annotations

from datetime import timedelta

from chassis.store.outbox import TAKE_OVER_AFTER
from tests.faults.scenario import fault
from tests.faults.stage import Stage
from tests.faults.strike import follow_up
from tests.support.proxy import Frame

PATIENCE = timedelta(seconds=4)
SLOW_SECONDS = 0.2
ONE_PROCESS = (("sqlite", "n/a: one process a database by design, because SQLite has one writer"),)


@fault(
    5,
    "two relays racing on the same rows",
    made="the proxy drops all publishes until the outbox is full, and the process is SIGKILLed; two replicas start, "
    "and when both are there the line becomes slow and the rows old enough to be taken over, by the clock",
    seen="the relay takes rows without locking them, and a message gets a new id each time it is published",
    sabotage="no_locks new_ids",
    short=400,
    long=2000,
    not_on=ONE_PROCESS,
    duplicates_at_most=100,
)
def racing_relays(stage: Stage) -> None:
    def dropped(frame: Frame) -> bytes:
        return frame.drop_message() if follow_up(frame) else frame.raw

    with stage.rig.proxy.filtered(dropped):
        stage.send(stage.size)
        stage.wait(lambda: len(stage.effects()) == stage.size, "all of it is committed")
        stage.rig.stop()
    stage.rig.clock.advance(-PATIENCE)  # so that neither takes anything over before the other is there
    stage.rig.start()
    stage.rig.start()
    stage.wait(lambda: stage.consumers() == 2, "both replicas are there")
    stage.rig.proxy.delay_seconds = SLOW_SECONDS
    stage.rig.clock.advance(PATIENCE + TAKE_OVER_AFTER)
    stage.over()
    stage.wait(lambda: stage.in_outbox() == 0, "all of it is published")
    stage.rig.proxy.delay_seconds = 0.0


@fault(
    21,
    "the same id to two replicas at once",
    made="two replicas consume one lane, and every message is published twice in a row",
    seen="the inbox forgets what was handled (a trigger): both do it",
    sabotage="forget_inbox",
    short=100,
    long=1000,
    not_on=ONE_PROCESS,
)
def same_id_twice(stage: Stage) -> None:
    if len(stage.rig.probes) == 1:
        stage.rig.start()
    stage.wait(lambda: stage.consumers() == 2, "both replicas listen")
    messages = [stage.compose() for _ in range(stage.size)]
    stage.publish(one for one in messages for _ in range(2))
    stage.over()
