"""Options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--var", help="The folder that everything is kept in.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
VAR = Path("var")
