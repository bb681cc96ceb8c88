"""How much is measured: the default, a quick look, and everything."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Plan:
    """Sizes are chosen so that on two cores each contestant works for some seconds a round."""

    rounds: int = 5
    few_rounds: int = 3
    """For what takes long and hardly varies."""

    events_ours: int = 15_000
    events_peers: int = 2_000
    latency_seconds: float = 12.0
    """A hundredth of its events is twelve; of the four that it was in four seconds, p99 varied by half."""

    referrals: int = 300
    chain_referrals: int = 1_000
    steady_seconds: float = 30.0
    profile_seconds: int = 8
    scaling_events: int = 15_000
    backlogs: tuple[int, ...] = (1_000, 10_000, 100_000)
    outbox_rows: int = 200_000
    kill_events: int = 20_000
    kills: int = 10
    cold_starts: int = 5
    site_seconds: float = 10.0
    site_requests: int = 600
    alert_backlog: int = 100_000
    alerts: int = 200
    waiting: int = 10_000
    """Referrals on the waiting list, and as many therapists."""

    waiting_seconds: float = 40.0
    signing_blocks: int = 15
    listed: int = 100_000
    """Referrals that wait in one queue of the console."""

    listed_events: int = 40_000
    live_seconds: float = 30.0
    live_consoles: int = 49
    """Open pages beside the one in which a change is seen."""

    page_requests: int = 200


DEFAULT = Plan()
FULL = replace(DEFAULT, backlogs=(*DEFAULT.backlogs, 1_000_000), outbox_rows=1_000_000)
QUICK = Plan(
    rounds=2,
    few_rounds=1,
    events_ours=5_000,
    events_peers=600,
    latency_seconds=1.5,
    referrals=60,
    chain_referrals=100,
    steady_seconds=4.0,
    profile_seconds=3,
    scaling_events=5_000,
    backlogs=(1_000, 5_000),
    outbox_rows=10_000,
    kill_events=6_000,
    kills=3,
    cold_starts=1,
    site_seconds=3.0,
    site_requests=60,
    alert_backlog=5_000,
    alerts=25,
    waiting=1_000,
    waiting_seconds=5.0,
    signing_blocks=3,
    listed=2_000,
    listed_events=800,
    live_seconds=4.0,
    live_consoles=9,
    page_requests=20,
)
SMOKE = replace(QUICK, rounds=1, events_ours=200, events_peers=100)
"""For the harness's own test."""
