"""Faults of the network between the probe and its broker."""

from __future__ import annotations

from tests.faults.rig import HEARTBEAT_SECONDS
from tests.faults.scenario import fault
from tests.faults.stage import Stage
from tests.faults.strike import Strike, delivery, follow_up
from tests.support.proxy import Frame

SLOW_SECONDS = 0.02


def swallow(stage: Stage, *, up: bool) -> None:
    """Makes a black hole in the middle of publishing, until the probe has given its connections up."""

    def vanish(frame: Frame) -> bytes:
        stage.rig.proxy.black_hole(up=up)
        return b"" if up else frame.raw

    opened = stage.rig.proxy.opened
    strike = Strike(follow_up, stage.size // 4, vanish)
    with stage.rig.proxy.filtered(strike):
        stage.send(stage.size)
        stage.wait(strike.struck.is_set, "the probe publishes")
        stage.send(stage.size)
        stage.wait(lambda: stage.rig.proxy.opened > opened, "the probe tries a new connection")
    stage.rig.proxy.heal()
    stage.over()


@fault(
    10,
    "upstream black hole",
    made="in the middle of publishing the proxy swallows all that goes to the broker, until the probe has "
    f"noticed and connects anew (heartbeat {HEARTBEAT_SECONDS} s)",
    seen="a publisher that doesn't wait for confirms: what was swallowed is lost",
    sabotage="unconfirmed",
    short=40,
    long=400,
)
def upstream_black_hole(stage: Stage) -> None:
    swallow(stage, up=True)


@fault(
    11,
    "downstream black hole",
    made="in the middle of publishing the proxy swallows all that comes from the broker, until the probe has "
    f"noticed and connects anew (heartbeat {HEARTBEAT_SECONDS} s)",
    seen="a consumer that acknowledges before it commits: what was swallowed on its way to it is lost",
    sabotage="no_ack",
    short=40,
    long=400,
)
def downstream_black_hole(stage: Stage) -> None:
    swallow(stage, up=False)


@fault(
    12,
    "reset in mid-frame",
    made="on a slow line, TCP resets after half of a publish's frame, and after half of a delivery's",
    seen="a consumer that acknowledges before it commits: the messages behind the torn one are lost",
    sabotage="no_ack",
    short=60,
    long=400,
)
def torn_frame(stage: Stage) -> None:
    publish = Strike(follow_up, stage.size // 3, Frame.tear)
    deliver = Strike(delivery, stage.size // 2, Frame.tear)
    stage.rig.proxy.delay_seconds = SLOW_SECONDS
    with stage.rig.proxy.filtered(publish, deliver):
        for _ in range(2):
            stage.send(stage.size)
            stage.wait(lambda: publish.struck.is_set() or deliver.struck.is_set(), "a frame was torn")
        stage.wait(lambda: publish.struck.is_set() and deliver.struck.is_set(), "both frames were torn")
    stage.rig.proxy.delay_seconds = 0.0
    stage.over()
