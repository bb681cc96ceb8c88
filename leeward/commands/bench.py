"""`leeward bench`: what `make bench` does, from a checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from leeward.console.options import new_folder
from leeward.console.terminal import errors


def bench(
    only: Annotated[str | None, typer.Option(help="Some sections, with commas between them.")] = None,
    rounds: Annotated[int | None, typer.Option(help="How many rounds, instead of five.", min=1)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A look of some minutes, too short to trust.")] = False,
    out: Annotated[
        Path | None, typer.Option(callback=new_folder, help="The folder that benchmarks.md is written to.")
    ] = None,
) -> None:
    """Measures Leeward beside its peers and writes docs/benchmarks.md. Needs a checkout, best after `make bench`."""
    checkout = Path(__file__).parents[2]
    if not (checkout / "bench" / "__main__.py").is_file():
        errors.print("`leeward bench` measures from a checkout of Leeward's source, and this is an installed package.")
        raise typer.Exit(2)
    given = {"--only": only, "--rounds": rounds, "--out": out and out.absolute()}
    options = [text for name, value in given.items() if value is not None for text in (name, str(value))]
    command = [sys.executable, "-m", "bench", "run", *options, *(["--quick"] if quick else [])]
    raise typer.Exit(subprocess.run(command, cwd=checkout).returncode)
