"""When to restart a process that has ended: at once, then with growing delays while it keeps ending."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WELL_SECONDS = 60.0
"""A process that has run for this long has started well: its next restart counts as the first in a row."""

LONGEST_SECONDS = 60.0
FLAPS_WITHIN = timedelta(minutes=10)
FLAPS_AT = 3
"""With this many restarts within FLAPS_WITHIN, a process flaps."""


def delay_seconds(restart: int) -> float:
    """The delay before the nth restart in a row, counted from 1: 0, 2, 4, 8 … up to a minute."""
    return 0.0 if restart == 1 else min(2.0 ** (restart - 1), LONGEST_SECONDS)


def recent(restarts: Iterable[datetime], *, at: datetime) -> list[datetime]:
    """The restarts within FLAPS_WITHIN before `at`."""
    return [restart for restart in restarts if restart > at - FLAPS_WITHIN]


@dataclass
class Restarts:
    """The restarts of one process. `now` and `started` are monotonic times in seconds."""

    delay: Callable[[int], float] = delay_seconds
    total: int = 0
    recent: list[datetime] = field(default_factory=list)
    _in_a_row: int = 0
    _due: float | None = None

    def ended(self, *, now: float, started: float) -> bool:
        """Records that the process has ended and when to restart it. Calls before the restart change nothing.

        True if this is the first end in a row, and so worth a message.
        """
        if self._due is not None:
            return False
        if now - started >= WELL_SECONDS:
            self._in_a_row = 0
        self._in_a_row += 1
        self._due = now + self.delay(self._in_a_row)
        return self._in_a_row == 1

    def is_due(self, now: float) -> bool:
        return self._due is not None and now >= self._due

    def started(self, *, at: datetime) -> None:
        """Records that it was restarted."""
        self._due = None
        self.total += 1
        self.recent = recent([*self.recent, at], at=at)
