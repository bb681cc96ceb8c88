"""Restarting over and over."""

from __future__ import annotations

import signal

from tests.faults.scenario import fault
from tests.faults.stage import Stage

PER_RESTART, NAP_SECONDS = 100, 0.005
KILL_EACH = 3


@fault(
    26,
    "25 rolling restarts with backlog: no healthy message parked",
    made="the process is restarted again and again while a backlog waits that it has taken hold of; each "
    f"{KILL_EACH}rd time by SIGKILL, else by SIGTERM (in the short form fewer times)",
    seen="the broker's delivery limit is as low as 1, and what exceeds it doesn't come back: healthy messages are lost",
    sabotage="low_limit",
    short=3,
    long=25,
)
def rolling_restarts(stage: Stage) -> None:
    messages = [stage.compose("nap", seconds=NAP_SECONDS) for _ in range(PER_RESTART * stage.size)]
    stage.publish(messages)
    for restart in range(1, stage.size + 1):
        (stage.rig.control / "busy").unlink(missing_ok=True)
        stage.wait(lambda: stage.busy() or len(stage.effects()) == len(messages), "the probe has work in hand")
        starts = stage.rig.probe.starts
        stage.rig.probe.send(signal.SIGTERM if restart % KILL_EACH else signal.SIGKILL)
        stage.wait(lambda before=starts: stage.rig.probe.starts > before, "the process has ended and another is there")
    stage.over()
