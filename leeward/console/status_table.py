"""The health of the services as a table, and alarms as sentences."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from leeward.runtime.health import ALARMS, ServiceStatus, SiteStatus
from leeward.runtime.restarts import FLAPS_WITHIN


def in_words(alarms: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for each alarm of each service."""
    found = [(service, name, count) for service, counts in alarms.items() for name, count in counts.items()]
    return [f"{service}: {count} {ALARMS.get(name, name)}" for service, name, count in found]


def status_table(states: list[ServiceStatus]) -> Table:
    table = Table("service", "state", box=None)
    for heading in ("inbox", "urgent", "retrying", "oldest s", "outbox", "lag s", "dead letters"):
        table.add_column(heading, justify="right")
    for status in states:
        figures = (status.inbox_depth, status.urgent_depth, status.retrying, status.oldest_message_seconds)
        more = (status.outbox_rows, status.outbox_lag_seconds, status.dead_letters)
        cells = ("–" if figure is None else f"{figure:g}" for figure in (*figures, *more))
        table.add_row(status.service, state_of(status), *cells)
    return table


def state_of(status: ServiceStatus | SiteStatus) -> str:
    state = "up" if status.up else "[red]down[/red]"
    minutes = round(FLAPS_WITHIN.total_seconds() / 60)
    return f"{state}, [red]flaps: {status.recent_restarts} restarts in {minutes} min[/red]" if status.flaps else state
