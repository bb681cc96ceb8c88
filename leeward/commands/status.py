"""`leeward status`: how every service is, its queues and its outbox."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from leeward.console.operators_audit import OPERATOR, operators_alarms
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.status_table import in_words, state_of, status_table
from leeward.console.terminal import broker_errors, broker_of, console
from leeward.runtime.health import ServiceStatus, SiteStatus, site_of, status_of, with_restarts
from leeward.runtime.workspace import Workspace


def status(var: Folder = VAR, as_json: AsJson = False) -> None:
    """Every service: up or down, what waits, what is late, what a person must look at.

    Exit code 1 if one is down, or was so often started again lately that it flaps, or an alarm is on.
    """
    workspace = Workspace(var)
    with broker_errors():
        states = with_restarts(status_of(broker_of(workspace)), workspace)
        sites = with_restarts([site for site in [site_of(workspace)] if site], workspace)
        operators = operators_alarms(workspace)
    everything: list[ServiceStatus | SiteStatus] = [*states, *sites]
    alarms = {**{state.service: state.alarms for state in everything}, **({OPERATOR: operators} if operators else {})}
    if as_json:
        report = [asdict(state) for state in everything]
        report += [{"service": OPERATOR, "alarms": operators}] if operators else []
        console.print_json(json.dumps(report))
    else:
        console.print(status_table(states))
        for site in sites:
            console.print(f"site: {state_of(site)}, {site.address}", soft_wrap=True)
        for alarm in in_words(alarms):
            console.print(alarm, style="bold red", markup=False)
    if any(alarms.values()) or not all(state.up and not state.flaps for state in everything):
        raise typer.Exit(1)
