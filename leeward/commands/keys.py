"""`leeward keys`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chassis.access.tokens import make_signing_key
from chassis.privacy.sealing import make_keys
from leeward.console.options import new_folder
from leeward.console.terminal import console
from leeward.runtime.workspace import READERS, SIGNERS

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The keys that personal data is sealed with, and those that commands are signed with.",
)


@app.command("make")
def make(
    folder: Annotated[Path, typer.Argument(callback=new_folder, help="Where they are written.")],
    owners: Annotated[
        list[str] | None, typer.Argument(metavar="[OWNER]...", help="Readers and front-ends; all, if none is named.")
    ] = None,
) -> None:
    """Makes a new key pair for each reader of sealed data, and for each front-end that signs commands.

    What was sealed to older ones can still be opened. Of a front-end's keys the newest two are good.
    """
    if unknown := sorted(set(owners or ()) - {*READERS, *SIGNERS}):
        raise typer.BadParameter(f"{', '.join(unknown)} has no key; choose from {', '.join((*READERS, *SIGNERS))}")
    for reader in (one for one in READERS if one in (owners or READERS)):
        make_keys(folder, reader)
        console.print(f"{reader}: give {reader}.public.json to whoever seals, and keep {reader}.private.json secret.")
    for signer in (one for one in SIGNERS if one in (owners or SIGNERS)):
        make_signing_key(folder, signer)
        console.print(f"{signer}: give the folder signers to all services, and keep {signer}.signing.json secret.")
