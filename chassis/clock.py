"""The clocks. Nothing else asks the machine for the time, so that a test can let a year pass in a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware and in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SharedClock:
    """The machine's clock, ahead by the number of seconds in a file that several processes may share.

    For demonstrations and tests only: writing a larger number into the file advances every service's clock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset()

    def start(self) -> None:
        """Creates the file, so that the processes that share it find it."""
        self.advance(timedelta())

    def offset(self) -> timedelta:
        try:
            return timedelta(seconds=float(self._path.read_text() or 0))
        except FileNotFoundError:
            return timedelta()

    def advance(self, by: timedelta) -> None:
        """Advances the clock for every process that shares the file."""
        moved = self.offset() + by
        replacement = self._path.with_suffix(".new")
        replacement.write_text(str(moved.total_seconds()))
        replacement.replace(self._path)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        self._at += by


def clock_for(shared_file: Path | None) -> Clock:
    return SharedClock(shared_file) if shared_file else SystemClock()
