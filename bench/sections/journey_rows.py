"""What is kept of the whole journey."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Round:
    """So many referrals at once, from the first request published to the last event of the last of them.

    CPU in seconds. `events` counts those that the driver waits for, `letters` are among them.
    """

    round: int
    store: str
    who: str
    referrals: int
    seconds: float
    events: int
    letters: int
    cpu_services: float
    cpu_driver: float
    cpu_broker: float
    cpu_database: float
    problem: str

    @property
    def rate(self) -> float:
        return self.referrals / self.seconds


@dataclass(frozen=True)
class Service:
    """One service in one round: CPU seconds, and its memory in megabytes before any load and after this round."""

    round: int
    store: str
    service: str
    referrals: int
    cpu: float
    rss_at_rest: float
    rss_after: float


@dataclass(frozen=True)
class Depth:
    """How much waited somewhere at a moment: `queue` is `<service> messages`, `… outbox`, `… timers due`.

    `per_second` is how many referrals arrived, evenly; 0 where all came at once.
    """

    store: str
    per_second: float
    second: float
    queue: str
    depth: int


@dataclass(frozen=True)
class Look:
    """The share of a service's working time that went into an area."""

    store: str
    service: str
    area: str
    share: float
