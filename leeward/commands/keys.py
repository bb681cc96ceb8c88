"""`leeward keys`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chassis.privacy.sealing import make_keys
from leeward.console.options import new_folder
from leeward.console.terminal import console
from leeward.runtime.workspace import READERS

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The keys that personal data is sealed with.")


@app.command("make")
def make(
    folder: Annotated[Path, typer.Argument(callback=new_folder, help="Where they are written.")],
    readers: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
) -> None:
    """Makes a new key pair for each reader. What was sealed to the older ones can still be opened."""
    if unknown := sorted(set(readers or ()) - set(READERS)):
        raise typer.BadParameter(f"nothing is sealed to {', '.join(unknown)}; choose from {', '.join(READERS)}")
    for reader in readers or READERS:
        make_keys(folder, reader)
        console.print(f"{reader}: give {reader}.public.json to whoever seals, and keep {reader}.private.json secret.")
