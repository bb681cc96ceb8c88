"""`leeward requests unreadable`: submissions from front-ends that intake could not read."""

from __future__ import annotations

from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from leeward.console import unreadable
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.terminal import id_column, printable
from leeward.console.unreadable import Every, Submissions

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Requests as front-ends send them.")
unreadable_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Requests that came and could not be read: mostly sealed to a key that intake doesn't have.",
)
app.add_typer(unreadable_app, name="unreadable")


@unreadable_app.command("list")
def list_(var: Folder = VAR, as_json: AsJson = False) -> None:
    """What waits for a key or for a person, the oldest first. Exit code 1 if there is any."""
    none = "Everything that came could be read."
    unreadable.show("intake", "unreadable", _table, none=none, var=var, as_json=as_json)


@unreadable_app.command()
def retry(submissions: Submissions = None, every: Every = False, var: Folder = VAR) -> None:
    """Reads them again. First put the key that was missing into the keys folder, and start intake again.

    Exit code 1 if one still can't be read.
    """
    commands = ("unreadable", "retry_unreadable")
    unreadable.read_again("intake", commands, submissions, every=every, say=_describe_result, var=var)


def _describe_result(done: dict[str, Any]) -> str:
    return f": request {done['reference']}" if done.get("reference") else ": a withdrawal"


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(id_column("sent as"), "what", "came", "why", "sealed to key", box=None)
    for submission in found:
        why = submission["reason"] + (f" ({submission['field']})" if submission.get("field") else "")
        came = submission["received_at"][:16].replace("T", " ")
        cells = (submission["submission_id"], submission["event"], came, why, submission.get("sealed_to") or "–")
        table.add_row(*(Text(printable(value)) for value in cells))
    return table
