"""Options that commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--var", file_okay=False, help="The folder that everything is kept in.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
VAR = Path("var")


def new_file(path: Path | None) -> Path | None:
    """For `typer.Option(callback=…)`: a file that can be written, known before any work is done for it."""
    if path is None:
        return None
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}; make it first")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"{path} can't be written")
    return path


def new_folder(path: Path | None) -> Path | None:
    """For `typer.Option(callback=…)`: a folder, or a place where one can be made."""
    if path is None:
        return None
    nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise typer.BadParameter(f"{nearest} is a file; name a folder")
    return path


Reference = Annotated[str, typer.Argument(help="The client's reference.")]
