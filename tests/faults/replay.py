"""Dead letters put back as `leeward dead replay` does it, and by the same functions; the command knows no probe."""

from __future__ import annotations

import sys
from datetime import timedelta

from leeward.dead import business_key
from leeward.letters import DeadLetter, Outcome, dead_queues, too_old
from tests.faults.rig import PROBE, Rig, port_of
from tests.support import proxy
from tests.support.proxy import Frame, Proxy

RETENTION = timedelta(days=14)
sys.path.append(str(PROBE))  # where `business_key` finds the probe's service, beside the others


def replay(rig: Rig, *, killed: bool = False) -> Outcome:
    """Puts every dead letter back into its lane. `killed` before it could settle one, so that all lie there still."""
    now = rig.clock.now()

    def refusal(letter: DeadLetter) -> str | None:
        if "unrefused" in rig.sabotage:
            return None
        return too_old(letter, now=now, retention=RETENTION, safe=business_key)

    line = Proxy(port_of(rig.node), filters=[unsettled] if killed else [])
    try:
        with dead_queues(rig.direct_uri.replace(f":{line.target}/", f":{line.port}/"), ["probe"]) as (queue,):
            return queue.replay(lambda letter: True, refusal)
    finally:
        line.close()


def unsettled(frame: Frame) -> bytes:
    """Drops whatever would take a message out of its queue."""
    return b"" if frame.up and frame.method == proxy.ACK else frame.raw
