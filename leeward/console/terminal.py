"""What the commands share: where they print, which broker they mean, and errors that a person can act on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console, ConsoleDimensions
from rich.table import Column, Table

from chassis.bus.connection import LOST
from leeward.errors import Refusal
from leeward.runtime.workspace import SERVICES, Workspace

ID_WIDTH = 36
"""Of a UUID as it is written."""

PIPED_WIDTH = 200
"""How wide a table may be where it is read by another program, or in a file."""


class Terminal(Console):
    """Rich's console, which looks up its width at each print: rich does so once, and assumes 80 columns for a file."""

    @property  # type: ignore[misc]  # nobody sets it
    def size(self) -> ConsoleDimensions:
        if self.file.isatty():
            return super().size
        columns = os.environ.get("COLUMNS", "")
        return ConsoleDimensions(int(columns) if columns.isdigit() else PIPED_WIDTH, 25)


console = Terminal()
errors = Console(stderr=True)


def id_column(heading: str) -> Column:
    """A table's column of ids, which stay whole however narrow the terminal is: they are there to be copied."""
    return Column(heading, no_wrap=True, min_width=ID_WIDTH)


def print_wide(table: Table) -> None:
    """A table of several ids, as wide as they need: a narrow terminal breaks its lines, and cuts nothing off."""
    table.width = console.measure(table, options=console.options.update(width=PIPED_WIDTH)).maximum
    console.print(table, crop=False, soft_wrap=True)


def broker_of(workspace: Workspace) -> str:
    """The broker that AMQP_URI or the folder's run file names. Ends with exit code 2 if neither does."""
    found: dict[str, Any] | None = workspace.read_run_file()
    amqp_uri = os.environ.get("AMQP_URI") or (found["amqp_uri"] if found else None)
    if not amqp_uri:
        errors.print(f"Nothing runs from {workspace.folder}. Start it with `leeward up`, or set AMQP_URI.")
        raise typer.Exit(2)
    return str(amqp_uri)


def refuse_unknown(services: list[str] | None) -> list[str]:
    """The named services, or all if none is named. Raises BadParameter for an unknown name."""
    unknown = sorted(set(services or ()) - set(SERVICES))
    if unknown:
        raise typer.BadParameter(f"there is no service {', '.join(unknown)}")
    return list(services or SERVICES)


def printable(text: object) -> str:
    """Text from elsewhere, with control characters escaped so that they can't steer the terminal."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in str(text))


def step(what: str) -> None:
    console.print(f"  {what} …")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Prints errors that a person can put right without a traceback, and exits with 1."""
    try:
        yield
    except Refusal as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except subprocess.CalledProcessError as error:
        errors.print(f"{error.cmd[-1]} could not be migrated; its message is above.", style="red", markup=False)
        raise typer.Exit(1) from None


@contextmanager
def broker_errors() -> Iterator[None]:
    """As `plain_errors`, for commands that talk to the broker alone."""
    try:
        yield
    except Refusal as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except LOST as error:
        errors.print(f"The broker can't be reached, or refuses this: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
