"""`leeward templates`: the wording of messages, with invented values.

The notifications service renders them, in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from leeward.console.options import VAR, AsJson, Folder, new_file
from leeward.console.terminal import errors
from leeward.runtime.workspace import Workspace

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The wording of messages.")


@app.command("list")
def list_(var: Folder = VAR, as_json: AsJson = False) -> None:
    """Every template, with the version of its wording in each language."""
    print(_ask(var, "list", *(["--json"] if as_json else [])), end="")


@app.command("preview")
def preview(
    name: str,
    language: Annotated[str, typer.Option(help="Such as cy; English where the template isn't there in it.")] = "en",
    html: Annotated[bool, typer.Option("--html", help="As HTML instead of plain text.")] = False,
    out: Annotated[Path | None, typer.Option(callback=new_file, help="A file to write it to.")] = None,
    var: Folder = VAR,
) -> None:
    """What a message looks like, with invented values."""
    shown = _ask(var, "show", name, "--language", language, *(["--html"] if html else []))
    if out:
        out.write_text(shown)
    else:
        print(shown, end="")


def _ask(var: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "services.notifications.preview", *arguments]
    environment = {name: value for name, value in Workspace(var).values().items() if value is not None}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        errors.print(done.stderr.strip(), style="red", markup=False)
        raise typer.Exit(done.returncode)
    return done.stdout
