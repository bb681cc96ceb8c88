"""Dead letters put back as `leeward dead replay` has a service do it."""

from __future__ import annotations

import re

from chassis.rpc import NoAnswer
from tests.faults.rig import Rig, wait_until
from tests.support import proxy
from tests.support.proxy import Frame, Link

ANSWER_SECONDS = 20.0


def replay(rig: Rig) -> None:
    """Has the probe put every dead letter back into its lane."""
    with rig.client() as client:

        def answered() -> bool:
            try:
                client.call("probe", "replay_dead_letters", timeout=ANSWER_SECONDS)
            except NoAnswer:
                return False
            return True

        wait_until(answered, "the dead letters are put back")


class Unsettled:
    """Drops whatever would take a message out of the dead letters, on the connection that reads them."""

    def __init__(self) -> None:
        self._reading: set[Link] = set()

    def __call__(self, frame: Frame) -> bytes:
        if frame.up and frame.method == proxy.CONSUME and re.search(rb"probe\.dead", frame.raw):
            self._reading.add(frame.link)
        return b"" if frame.up and frame.method == proxy.ACK and frame.link in self._reading else frame.raw
