"""`leeward alerts`: safeguarding concerns, who has taken each in hand, and what was decided."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from chassis.privacy.sealing import Keyring
from contracts.sealed import OutcomeReason
from contracts.vocabulary import ConcernOutcome
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.service_client import open_client
from leeward.console.terminal import console, id_column, printable
from leeward.runtime.workspace import Workspace

AT_MOST = 1_000

Concern = Annotated[str, typer.Argument(metavar="CONCERN", help="The concern's id, as the list shows it.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Safeguarding concerns.")


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those that somebody has taken in hand.")] = False,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Concerns that nobody has taken in hand yet, the gravest and oldest first."""
    with open_client(Workspace(var)) as client:
        found: list[dict[str, Any]] = client.call("notifications", "alerts", all=every, limit=AT_MOST)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        console.print(_table(found) if found else "Nobody waits: every concern is in somebody's hands.")


@app.command()
def acknowledge(concern: Concern, var: Folder = VAR) -> None:
    """Takes a concern in hand, which ends its alarm. It goes on record who did."""
    with open_client(Workspace(var)) as client:
        alert = client.call("notifications", "acknowledge_alert", concern_id=concern)
    console.print(f"{alert['acknowledged_by']} has it in hand.", markup=False)


@app.command()
def outcome(
    concern: Concern,
    decided: Annotated[ConcernOutcome, typer.Argument(help="What was decided.")],
    why: Annotated[str, typer.Option(prompt="Why", help="In words; asked for if it isn't given.")],
    var: Folder = VAR,
) -> None:
    """Puts a decision about a concern on record, for ever."""
    workspace = Workspace(var)
    sealed = Keyring(workspace.keys).seal("notifications", OutcomeReason(words=why))
    fields: dict[str, Any] = {"concern_id": concern, "outcome": decided.value, "reason": sealed}
    with open_client(workspace) as client:
        client.call("notifications", "record_outcome", **fields)
    console.print("It is on record.")


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(id_column("concern"), "how grave", "about", "since", "in whose hands", box=None)
    for concern in found:
        since = concern["raised_at"][:16].replace("T", " ")
        about = concern["category"].replace("_", " ")
        cells = (concern["concern_id"], concern["severity"], about, since, concern.get("acknowledged_by") or "nobody's")
        table.add_row(*(Text(printable(value)) for value in cells))
    return table
