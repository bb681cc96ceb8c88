"""Faults of time."""

from __future__ import annotations

from datetime import timedelta

from tests.faults.scenario import fault
from tests.faults.stage import Stage

REMINDED = 1_000_000
"""What `services.probe.handlers` adds to a number for the effect of its timer."""


@fault(
    31,
    "clock jumps back an hour",
    made="the clock that all processes share goes an hour back in the middle of the work, then two hours on, "
    "and everything is delivered again after each jump; timers that were set before fall due once",
    seen="the inbox forgets what was handled (a trigger): all is done again",
    sabotage="forget_inbox",
    short=20,
    long=400,
    differs=True,
)
def clock_jumps(stage: Stage) -> None:
    stage.send(stage.size // 2)
    timers = [stage.compose("remind") for _ in range(stage.size // 2)]
    stage.publish(timers)
    stage.wait(lambda: len(stage.effects()) == len(stage.sent), "they are done")
    reminded = range(REMINDED + stage.size // 2 + 1, REMINDED + 2 * (stage.size // 2) + 1)
    for jump in (timedelta(hours=-1), timedelta(hours=2), timedelta(hours=-1)):
        stage.rig.clock.advance(jump)
        stage.publish(list(stage.sent.values()))
        stage.send(stage.size // 2)
        if jump > timedelta():
            stage.also_expect(reminded)  # waited for here, because they aren't due any more after the jump back
        done = set(stage.expected)
        stage.wait(lambda done=done: stage.effects().keys() >= done, "the work goes on")
    stage.over()


@fault(
    32,
    "a service a week behind catches up",
    made="the service is away for a week by the clock; what was published meanwhile waits for it, and what it "
    "had handled in its last moments comes again, because that was never acknowledged",
    seen="the inbox forgets what was handled (a trigger): last week's work is done again",
    sabotage="forget_inbox",
    short=300,
    long=5000,
)
def a_week_behind(stage: Stage) -> None:
    stage.send(stage.size // 10)
    handled = list(stage.sent.values())
    stage.wait(lambda: len(stage.effects()) == len(handled), "they are done")
    stage.rig.stop()
    stage.rig.clock.advance(timedelta(days=7))
    for day in range(7, 0, -1):
        stage.send(stage.size // 7, age=timedelta(days=day))
    stage.publish(handled)
    stage.rig.start()
    stage.over()
