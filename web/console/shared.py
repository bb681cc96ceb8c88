"""Answers to pages that are open: each is made once for all who may see the same, until something in it changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

MOST_KEPT = 100
"""Filters are in addresses, so that there is no end of different ones."""

KEPT_FOR_SECONDS = 5.0
"""What is overdue changes with the clock alone."""


@dataclass
class _Kept:
    topics: frozenset[str]
    """What it would have to be made anew for."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    changes: int = 0
    body: bytes | None = None
    made_at: float = 0.0


class Shared:
    """Bodies of answers by whatever tells them apart: address, and what those who ask may see."""

    def __init__(self, everything: str) -> None:
        """`everything` is the topic that is named where it isn't known what has changed."""
        self._everything = everything
        self._lock = threading.Lock()
        self._kept: dict[Hashable, _Kept] = {}

    def body(self, key: Hashable, topics: frozenset[str], make: Callable[[], bytes]) -> bytes:
        """The body that is kept, or that `make` makes; whoever asks for it meanwhile waits for the same one."""
        with self._lock:
            if key not in self._kept and len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept.setdefault(key, _Kept(topics))
        with kept.lock:
            if kept.body is not None and time.monotonic() - kept.made_at < KEPT_FOR_SECONDS:
                return kept.body
            changes, made_at, body = kept.changes, time.monotonic(), make()
            with self._lock:  # what has changed while it was made isn't in it
                if kept.changes == changes:
                    kept.body, kept.made_at = body, made_at
            return body

    def forget(self, topics: set[str]) -> None:
        with self._lock:
            for kept in self._kept.values():
                if self._everything in topics or kept.topics & topics:
                    kept.changes += 1
                    kept.body = None
