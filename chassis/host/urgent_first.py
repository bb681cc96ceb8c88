"""Urgent work goes first: while some is in progress, this process begins nothing ordinary."""

from __future__ import annotations

import math
import time

LONGEST_SECONDS = 1.0
"""How long ordinary work waits at most, in case the urgent work is stuck."""

POLL_SECONDS = 0.002

TURN_SECONDS = 0.02
"""How long ordinary work may go on before it yields. Yielding after every single letter, to lanes that then handle a
whole batch each, let letters fall ever further behind."""


class UrgentFirst:
    """Claimed when urgent work is set to begin now and when it begins, and released when it is done."""

    def __init__(self) -> None:
        self._claimed_until = 0.0
        self._yielded_at = -math.inf

    def claim(self) -> None:
        self._claimed_until = time.monotonic() + LONGEST_SECONDS

    def release(self) -> None:
        self._claimed_until = 0.0

    def yield_turn(self) -> None:
        """Called between two pieces of ordinary work: lets other greenlets run, and waits for urgent work."""
        now = time.monotonic()
        if self._claimed_until <= now < self._yielded_at + TURN_SECONDS:
            return
        time.sleep(0)
        self.wait()
        self._yielded_at = time.monotonic()

    def wait(self) -> None:
        """Waits while urgent work is in progress, without yielding a turn first."""
        while time.monotonic() < self._claimed_until:
            time.sleep(POLL_SECONDS)
