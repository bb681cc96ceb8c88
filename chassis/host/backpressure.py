"""Whether there is a processor for everybody: how long this process stands in line for one, and how long it has one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

LOOK_SECONDS = 0.1
"""For so long what was seen of it holds."""

GIVE_WAY_SECONDS = 0.1
"""With half of it, letters still fell behind at 29 referrals a second (+4.5/s instead of none; +72 without)."""

SCHEDSTAT = Path("/proc/self/schedstat")
"""Linux's word for this process: nanoseconds at work, and in line."""

Seen = tuple[int, int]


def at_work_and_in_line() -> Seen:
    """Nanoseconds since the process began; nothing where no such count is kept."""
    try:
        at_work, in_line, _ = SCHEDSTAT.read_text().split()
    except (OSError, ValueError):
        return 0, 0
    return int(at_work), int(in_line)


class Pressure:
    """Has ordinary work give way where more is to be done than there is processor for.

    A message that comes alone takes ten times the processor of one in a batch. Where every service takes at once
    whatever comes, those that come last in the chain get too little, and their queues grow without end while no batch
    ever does. Who stands in line longer than it is at work loses nothing by standing aside for a moment: it would wait
    anyway, and takes more at a time afterwards.
    """

    def __init__(
        self, seen: Callable[[], Seen] = at_work_and_in_line, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._seen, self._now = seen, now
        self._looked_at, self._last = now(), seen()
        self._is_high = False

    def seconds_to_give_way(self) -> float:
        """For how long a batch that could be taken now should be left to grow."""
        if self._now() - self._looked_at >= LOOK_SECONDS:
            at_work, in_line = self._seen()
            self._is_high = in_line - self._last[1] > at_work - self._last[0]
            self._looked_at, self._last = self._now(), (at_work, in_line)
        return GIVE_WAY_SECONDS if self._is_high else 0.0
