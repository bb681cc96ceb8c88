"""`leeward attendance`: which matches have no first session on record, and what a person knows of them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from leeward.console.options import VAR, AsJson, Folder
from leeward.console.service_client import open_client
from leeward.console.terminal import console, id_column, print_wide
from leeward.runtime.workspace import Workspace

AT_MOST = 1_000

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Whether clients have met their therapists, where nobody said."
)

MatchOf = Annotated[UUID, typer.Argument(help="The match, as `leeward attendance list` names it.")]


@app.command("list")
def list_(var: Folder = VAR, as_json: AsJson = False) -> None:
    """Matches whose first session isn't on record after 30 days (policy), or that ended without, the oldest first."""
    found = _unrecorded(Workspace(var))
    if as_json:
        print(json.dumps(found, indent=2))
    elif found:
        print_wide(_table(found))
    else:
        console.print("Nobody needs to be asked.")


@app.command()
def attended(
    match: MatchOf,
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day of the session.")],
    var: Folder = VAR,
) -> None:
    """Records a session that no fund pays for: the referral fee stands."""
    workspace = Workspace(var)
    referral_id = next((row["referral_id"] for row in _unrecorded(workspace) if row["match_id"] == str(match)), None)
    if referral_id is None:
        raise typer.BadParameter("No such match waits to be asked about; see `leeward attendance list`.")
    with open_client(workspace) as client:
        day = on.date().isoformat()  # as it was typed, whatever the time zone of this machine
        client.call("billing", "record_attendance", referral_id=referral_id, match_id=str(match), attended_on=day)
    console.print(f"The session of {day} is on record.")


@app.command()
def never(match: MatchOf, var: Folder = VAR) -> None:
    """Records that the client never came: the referral fee is given back. Ask client or therapist before."""
    with open_client(Workspace(var)) as client:
        done = client.call("billing", "record_never_attended", match_id=str(match))
    state = "On record" if done["changed"] else f"It was on record since {done['recorded_at'][:10]}"
    console.print(f"{state}: the client never came.", markup=False)


def _unrecorded(workspace: Workspace) -> list[dict[str, Any]]:
    with open_client(workspace) as client:
        found: list[dict[str, Any]] = client.call("billing", "unrecorded_attendance", limit=AT_MOST)
    return found


def _table(found: list[dict[str, Any]]) -> Table:
    ids = (id_column(heading) for heading in ("match", "referral", "therapist"))
    table = Table(*ids, "matched", "contact made", "ended", "because", box=None)
    for match in found:
        dates = (match["matched_on"], match.get("contact_made_on") or "not said", match.get("ended_on") or "–")
        because = (match.get("end_reason") or "–").replace("_", " ")
        table.add_row(match["match_id"], match["referral_id"], match["therapist_id"], *dates, because)
    return table
