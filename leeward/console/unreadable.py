"""Lists and retries submissions that a service stored because it could not read them (intake and evaluation)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.table import Table

from chassis.rpc import CommandFailed
from leeward.console.options import AsJson, Folder
from leeward.console.service_client import open_client
from leeward.console.terminal import console, errors, printable
from leeward.runtime.workspace import Workspace

AT_MOST = 1_000

Submissions = Annotated[list[str] | None, typer.Argument(metavar="[SUBMISSION]...")]
Every = Annotated[bool, typer.Option("--all", help="Everything that waits.")]
Found = list[dict[str, Any]]


def show(
    service: str, command: str, table: Callable[[Found], Table], *, none: str, var: Folder, as_json: AsJson
) -> None:
    """Prints what waits, the oldest first. Exits with 1 if there is any."""
    with open_client(Workspace(var)) as client:
        found: Found = client.call(service, command, limit=AT_MOST)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        console.print(table(found) if found else none)
    if found:
        raise typer.Exit(1)


def read_again(
    service: str,
    commands: tuple[str, str],
    submissions: list[str] | None,
    *,
    every: bool,
    say: Callable[[dict[str, Any]], str],
    var: Folder,
) -> None:
    """Has the service read submissions again: those named, or all. `commands` are its listing and its retry command.

    `say` adds a phrase about the result. Exits with 1 if a submission still can't be read.
    """
    if bool(submissions) == every:
        raise typer.BadParameter("name submissions, or say --all")
    listing, retrying = commands
    refused = False
    with open_client(Workspace(var)) as client:
        chosen = submissions or [waiting["submission_id"] for waiting in client.call(service, listing, limit=AT_MOST)]
        for submission_id in chosen:
            try:
                done = client.call(service, retrying, submission_id=submission_id)
            except CommandFailed as refusal:
                refused = True
                line = f"{printable(submission_id)}: {refusal.message}"
                errors.print(line, style="red", markup=False, soft_wrap=True)
            else:
                console.print(f"{printable(submission_id)} was read{say(done)}.", markup=False)
    if refused:
        raise typer.Exit(1)
