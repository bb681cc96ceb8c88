"""When a process that has ended is started again: at once, and after ever longer if it keeps ending."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WELL_SECONDS = 60.0
"""What has run for so long has started well, whatever happens to it then."""

LONGEST_SECONDS = 60.0
FLAPS_WITHIN = timedelta(minutes=10)
FLAPS_AT = 3
"""So many restarts within that time are no mishap: it keeps ending."""


def delay_seconds(restart: int) -> float:
    """How long to wait before the first restart in a row, before the second, and so on: 0, 2, 4, 8 … up to a minute."""
    return 0.0 if restart == 1 else min(2.0 ** (restart - 1), LONGEST_SECONDS)


def recent(restarts: Iterable[datetime], *, at: datetime) -> list[datetime]:
    """Those that count for whether something flaps."""
    return [restart for restart in restarts if restart > at - FLAPS_WITHIN]


@dataclass
class Restarts:
    """Those of one process. What is called `now` is a monotonic time in seconds."""

    delay: Callable[[int], float] = delay_seconds
    total: int = 0
    recent: list[datetime] = field(default_factory=list)
    _in_a_row: int = 0
    _due: float | None = None

    def ended(self, *, now: float, started: float) -> bool:
        """Notes that it has ended, however often it is told. True once: if it is the first time in a row."""
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
        """Notes that it was started again."""
        self._due = None
        self.total += 1
        self.recent = recent([*self.recent, at], at=at)
