"""What is urgent goes first: while some of it is in hand, nothing ordinary is begun in the same process."""

from __future__ import annotations

import math
import time

LONGEST_SECONDS = 1.0
"""For which ordinary work stands aside at most, should whatever is urgent be stuck."""

LOOK_SECONDS = 0.002

TURN_SECONDS = 0.02
"""For which ordinary work goes on before it gives way: one letter at a time between whole batches falls ever further
behind them."""


class RightOfWay:
    """Taken when urgent work is set for now and when it begins, and left when it is done."""

    def __init__(self) -> None:
        self._until = 0.0
        self._gave_at = -math.inf

    def take(self) -> None:
        self._until = time.monotonic() + LONGEST_SECONDS

    def leave(self) -> None:
        self._until = 0.0

    def give(self) -> None:
        """Lets everything else have its turn after one of ours, and waits while something urgent is in hand."""
        now = time.monotonic()
        if self._until <= now < self._gave_at + TURN_SECONDS:
            return
        time.sleep(0)
        self.stand_aside()
        self._gave_at = time.monotonic()

    def stand_aside(self) -> None:
        """Waits while something urgent is in hand; for who has just been given a turn."""
        while time.monotonic() < self._until:
            time.sleep(LOOK_SECONDS)
