"""What `leeward up` does, once it is loaded."""

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


def stay(folder: Path, *, sample: int, prefork_server: PreforkServer | None) -> None:
    """Runs everything that the folder holds, with so many sample requests, until Ctrl-C."""
    workspace = Workspace(folder)
    with plain_errors(), running(workspace, site=True, prefork_server=prefork_server, say=_say) as supervisor:
        try:
            _announce(workspace, supervisor)
            if sample:
                try:
                    _let_flow(workspace, supervisor, sample)
                except (*LOST, NoAnswer):
                    _say("The broker or a service went away while sample requests were on their way; they go on.")
            _watch(supervisor)
        except KeyboardInterrupt:
            console.print("Stopping…")


def _let_flow(workspace: Workspace, supervisor: Supervisor, sample: int) -> None:
    """The demonstration's people on a system that stays: time is not moved, so unanswered offers stay open."""
    from leeward.demo.requests import sample_requests
    from leeward.demo.run import Demonstration, seed_from_time

    seed = seed_from_time()
    demonstration = Demonstration(
        workspace, supervisor.amqp_uri, seed=seed, say=step, meanwhile=supervisor.keep_running
    )
    demonstration.prepare()
    demonstration.publish(sample_requests(sample, seed))
    demonstration.settle("Assessing, offering, matching; inviting, charging, notifying")


def _watch(supervisor: Supervisor) -> None:
    """Shows the state of everything until Ctrl-C, and starts again what has ended."""
    console.print("Running. Ctrl-C stops everything.")
    if not console.is_terminal:
        while True:
            supervisor.keep_running()
            time.sleep(REFRESH_SECONDS)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            supervisor.keep_running()
            with suppress(*LOST):  # while the broker is started again, what was seen last stays
                states = with_restarts(status_of(supervisor.amqp_uri), supervisor.workspace)
                live.update(status_table(states), refresh=True)
            time.sleep(REFRESH_SECONDS)


def _say(what: str) -> None:
    console.print(what, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _announce(workspace: Workspace, supervisor: Supervisor) -> None:
    console.print(f"Open:   {supervisor.site}", soft_wrap=True)
    console.print(f"Broker: {supervisor.amqp_uri}", soft_wrap=True)
    console.print(f"Mail:   {workspace.mail}/new   Logs: {workspace.folder}/log   For machines: {workspace.run_file}")
