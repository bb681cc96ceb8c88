"""What `leeward up` runs: everything in a folder, until Ctrl-C."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from rich.live import Live

from chassis.bus.connection import LOST
from chassis.rpc import NoAnswer
from leeward.console.status_table import status_table
from leeward.console.terminal import console, plain_errors, step
from leeward.runtime.health import status_of, with_restarts
from leeward.runtime.prefork import PreforkServer
from leeward.runtime.supervisor import Supervisor, running
from leeward.runtime.workspace import Workspace

REFRESH_SECONDS = 2.0


def run_in_foreground(folder: Path, *, sample: int, prefork_server: PreforkServer | None) -> None:
    """Runs the broker, services and site of a workspace until Ctrl-C. `sample`: how many sample requests to send."""
    workspace = Workspace(folder)
    with (
        plain_errors(),
        running(workspace, site=True, console=True, prefork_server=prefork_server, say=_say) as supervisor,
    ):
        try:
            _announce(workspace, supervisor)
            if sample:
                try:
                    _send_sample_requests(workspace, supervisor, sample)
                except (*LOST, NoAnswer):
                    _say("The broker or a service went away while sample requests were on their way; they go on.")
            _watch(supervisor)
        except KeyboardInterrupt:
            console.print("Stopping…")


def _send_sample_requests(workspace: Workspace, supervisor: Supervisor, sample: int) -> None:
    """Plays the demonstration on this system. The clock isn't advanced here, so unanswered offers stay open."""
    from leeward.demo.requests import sample_requests
    from leeward.demo.run import Demonstration, seed_from_time

    seed = seed_from_time()
    demonstration = Demonstration(
        workspace, supervisor.amqp_uri, seed=seed, say=step, meanwhile=supervisor.restart_ended
    )
    demonstration.prepare()
    demonstration.publish(sample_requests(sample, seed))
    demonstration.settle("Assessing, offering, matching; inviting, charging, notifying")
    demonstration.leave_work(sample_requests(max(8, sample // 5), seed + 1))


def _watch(supervisor: Supervisor) -> None:
    """Shows the state of every service until Ctrl-C, and restarts what has ended."""
    console.print("Running. Ctrl-C stops everything.")
    if not console.is_terminal:
        while True:
            supervisor.restart_ended()
            time.sleep(REFRESH_SECONDS)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            supervisor.restart_ended()
            with suppress(*LOST):  # while the broker restarts, the last table stays on the screen
                states = with_restarts(status_of(supervisor.amqp_uri), supervisor.workspace)
                live.update(status_table(states), refresh=True)
            time.sleep(REFRESH_SECONDS)


def _say(what: str) -> None:
    console.print(what, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _announce(workspace: Workspace, supervisor: Supervisor) -> None:
    console.print(f"Open:   {supervisor.site}", soft_wrap=True)
    console.print(f"Staff:  {supervisor.console}", soft_wrap=True)
    if workspace.first_link.exists():
        link = workspace.first_link.read_text().strip()
        workspace.first_link.unlink()
        console.print(f"        The first administrator begins here, within 30 minutes: {link}", soft_wrap=True)
    console.print(f"Broker: {supervisor.amqp_uri}", soft_wrap=True)
    console.print(f"Mail:   {workspace.mail}/new   Logs: {workspace.folder}/log   For machines: {workspace.run_file}")
