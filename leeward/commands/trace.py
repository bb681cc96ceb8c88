"""`leeward trace`: a referral's history across all services, from the events that each of them remembers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from chassis.bus.permissions import OPERATOR
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.referral_events import Step, gather, referral_id_of, story_of
from leeward.console.service_client import operators_client
from leeward.console.terminal import broker_errors, console, errors
from leeward.runtime.workspace import Workspace


def trace(
    reference: Annotated[str, typer.Argument(help="The client's reference, or the referral's identifier.")],
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """A referral's story across all services, in order, with delays. Exit code 1 if a service could not be asked."""
    with broker_errors(), operators_client(Workspace(var), OPERATOR) as client:
        referral_id = referral_id_of(client, reference)
        gathered = gather(client, referral_id)
    steps = story_of(gathered, referral_id)
    if as_json:
        report = {"referral_id": referral_id, "steps": [asdict(step) for step in steps], "silent": gathered.silent}
        print(json.dumps(report, indent=2))
    else:
        console.print(_table(steps, referral_id))
        for service, why in gathered.silent.items():
            errors.print(f"{service} could not be asked, so its part is missing: {why}", style="red", markup=False)
    if gathered.silent or not steps:
        raise typer.Exit(1)


def _table(steps: Iterable[Step], referral_id: str) -> Table:
    table = Table("time", "service", "event", box=None)
    table.add_column("since its cause", justify="right")
    table.add_column("handled by, after")
    for step in steps:
        of_another = step.referral_id not in (None, referral_id)
        handled = ", ".join(f"{handling.service}{_short(handling.seconds_after, ' ')}" for handling in step.handled)
        event = f"{step.event} (of another referral)" if of_another else step.event
        time = step.at[:23].replace("T", " ")
        table.add_row(time, step.service, event, _short(step.seconds_since_cause), handled or "–")
    return table


def _short(seconds: float | None, before: str = "") -> str:
    return "" if seconds is None else f"{before}{seconds:.3f} s"
