"""`leeward retention`: when data about a person is erased by policy, and whose is next."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from leeward.console.options import VAR, AsJson, Folder, Reference
from leeward.console.service_client import ask_intake
from leeward.console.terminal import console
from leeward.runtime.workspace import Workspace

DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}

app = typer.Typer(no_args_is_help=True, add_completion=False, help="What is kept how long, by policy.")


def days(text: str) -> timedelta:
    """A duration as a person writes it: `30d`, `4w`, `6m`, `2y`. Raises BadParameter."""
    found = re.fullmatch(r"(\d{1,4})([dwmy])", text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no while; write 30d, 4w, 6m or 2y")
    return timedelta(days=int(found[1]) * DAYS[found[2]])


@app.command()
def show(reference: Reference, var: Folder = VAR, as_json: AsJson = False) -> None:
    """When what is held about a person is erased by itself, why then, and what stops it. Exit code 1 if nothing is."""
    view = ask_intake(Workspace(var), "kept_until", reference=reference)
    if as_json:
        print(json.dumps(view, indent=2))
        return
    for line in _lines_of(view):
        console.print(line, markup=False)


@app.command()
def due(
    within: Annotated[str, typer.Option(help="How far to look ahead: 30d, 4w, 6m, 2y.")] = "30d",
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Who is erased next, the first first, and of whom a hold, a therapy or a concern has stopped it."""
    workspace = Workspace(var)
    before = workspace.clock.now() + days(within)
    views = ask_intake(workspace, "retention_due", before=before.isoformat())
    if as_json:
        print(json.dumps(views, indent=2))
        return
    table = Table("reference", "kept until", "term", "stopped by", "with it", box=None)
    for view in views:
        stops = ", ".join(sorted({_words(obstacle["kind"]) for obstacle in view.get("stopped_by", ())}))
        others = ", ".join(view.get("goes_with", ()))
        table.add_row(view["reference"], view["due_at"][:10], _words(view["term"]), stops or "–", others or "–")
    console.print(table if views else f"Nobody is due within {within}.")


@app.command()
def apply(
    var: Folder = VAR,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask, for scripts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Reckons every date anew after the policy has changed. Whose time has come by it is erased at once.

    It goes on record with your name, the version of the policy, and how many are looked at.
    """
    if not yes:
        typer.confirm("Erase everybody whose time has come by the policy that intake runs with?", abort=True)
    result = ask_intake(Workspace(var), "apply_retention")
    if as_json:
        print(json.dumps(result))
    else:
        console.print(f"{result['referrals']} referrals are looked at again, by policy {result['policy_version']}.")


@app.command()
def applied(var: Folder = VAR, as_json: AsJson = False) -> None:
    """Who has had every date reckoned anew, when, by which version of the policy and of how many referrals."""
    found = ask_intake(Workspace(var), "retention_applied")
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for run in found:
        when = run["applied_at"][:19].replace("T", " ")
        console.print(f"{when} {run['applied_by']}: {run['what']}", markup=False, highlight=False)
    if not found:
        console.print("Never.")


def _lines_of(view: dict[str, Any]) -> list[str]:
    state, since = _words(view["state"]), view["counted_from"][:10]
    return [
        f"{view['reference']} is {state}, and kept until {view['due_at'][:10]}.",
        f"  {view['why']}",
        f"  Term “{_words(view['term'])}” of policy {view['policy_version']}, counted from {since}.",
        *([f"  Goes together with {', '.join(view['goes_with'])}."] if view.get("goes_with") else []),
        *(
            f"  Stopped by a {_words(obstacle['kind'])} ({obstacle['reference']})."
            for obstacle in view.get("stopped_by", ())
        ),
    ]


def _words(code: str) -> str:
    return code.replace("_", " ")
