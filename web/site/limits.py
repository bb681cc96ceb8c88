"""How often somebody may do something in an hour. What is remembered of them is a keyed hash, and only in memory."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
MOST_REMEMBERED = 50_000


class HourlyLimit:
    """Counts by whatever names somebody: a network address, a reference."""

    def __init__(self, most: int, now: Callable[[], datetime]) -> None:
        self._most, self._now = most, now
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._times: dict[bytes, deque[datetime]] = {}

    def is_exceeded(self, who: str) -> bool:
        """Counts one more, and tells whether that was too many."""
        name = hmac.digest(self._key, who.encode(errors="replace"), hashlib.sha256)
        with self._lock:
            times = self._times.setdefault(name, deque(maxlen=self._most + 1))
            since = self._now() - HOUR
            while times and times[0] <= since:
                times.popleft()
            times.append(self._now())
            if len(self._times) > MOST_REMEMBERED:
                self._forget(since)
            return len(times) > self._most

    def _forget(self, since: datetime) -> None:
        self._times = {name: times for name, times in self._times.items() if times[-1] > since}
