"""Doing something at the very moment at which a certain frame goes by."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.support import proxy
from tests.support.proxy import Frame, Link


class Strike:
    """Acts once, on the nth frame that matches, or `again` on every later one too.

    After it `hold` lets nothing more through to the broker on that connection.
    """

    def __init__(
        self,
        matches: Callable[[Frame], bool],
        nth: int,
        act: Callable[[Frame], bytes],
        *,
        hold: bool = False,
        again: bool = False,
    ) -> None:
        self._matches, self._nth, self._act, self._hold, self._again = matches, nth, act, hold, again
        self._held: Link | None = None
        self.struck = threading.Event()

    def __call__(self, frame: Frame) -> bytes:
        if frame.link is self._held and frame.up:
            return b""
        is_over = self.struck.is_set() and not self._again
        if is_over or not self._matches(frame):
            return frame.raw
        self._nth -= 1
        if self._nth > 0:
            return frame.raw
        self.struck.set()
        if self._hold:
            self._held = frame.link
        return self._act(frame)


def follow_up(frame: Frame) -> bool:
    """The probe publishes something that happened."""
    return frame.up and frame.method == proxy.PUBLISH and frame.exchange == "probe.events"


def retry(frame: Frame) -> bool:
    """The probe puts a message into a retry queue or the dead letters."""
    return frame.up and frame.method == proxy.PUBLISH and frame.exchange == "probe.retry"


def acknowledgement(frame: Frame) -> bool:
    """The probe has settled what it took."""
    return frame.up and frame.method == proxy.ACK


def delivery(frame: Frame) -> bool:
    """The broker hands a message to the probe."""
    return not frame.up and frame.method == proxy.DELIVER
