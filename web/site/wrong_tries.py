"""Wrong passphrases for a reference, counted in memory as intake counts them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import datetime

from contracts.passphrase import LOCK, TRIES_BEFORE_LOCK
from web.shared.limits import MOST_REMEMBERED, Pseudonyms


class WrongTries:
    """Counts wrong passphrases for a reference as intake does, to show how long it stays locked.

    Counts for references that don't exist too, so that the page doesn't reveal which ones do.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._pseudonyms = Pseudonyms()
        self._lock = threading.Lock()
        self._wrong: dict[bytes, tuple[int, datetime]] = {}  # the count, and the time of the last

    def record_wrong(self, reference: str) -> None:
        """Counts one more wrong try."""
        name = self._pseudonyms.of(reference)
        with self._lock:
            count, last = self._wrong.pop(name, (0, self._now()))
            is_over = count >= TRIES_BEFORE_LOCK and self._now() >= last + LOCK
            self._wrong[name] = (1 if is_over else count + 1, self._now())
            if len(self._wrong) > MOST_REMEMBERED:
                del self._wrong[next(iter(self._wrong))]

    def forget(self, reference: str) -> None:
        """Ends the count, because the right passphrase was given."""
        with self._lock:
            self._wrong.pop(self._pseudonyms.of(reference), None)

    def minutes_to_wait(self, reference: str) -> int:
        """Minutes until the reference can be tried again, rounded up; 0 if it can be now."""
        with self._lock:
            count, last = self._wrong.get(self._pseudonyms.of(reference), (0, self._now()))
        left = (last + LOCK - self._now()).total_seconds()
        return math.ceil(left / 60) if count >= TRIES_BEFORE_LOCK and left > 0 else 0
