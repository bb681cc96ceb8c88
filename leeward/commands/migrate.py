"""`leeward migrate`."""

from __future__ import annotations

from typing import Annotated

import typer

from leeward.console.options import VAR, Folder
from leeward.console.terminal import plain_errors, refuse_unknown
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import SERVICES, Workspace


def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None, var: Folder = VAR
) -> None:
    """Brings the services' databases, and the console's unless services are named, to their newest revisions."""
    refuse_unknown(services)
    workspace = Workspace(var)
    workspace.prepare()
    with plain_errors():
        Supervisor(workspace, "amqp://", services or SERVICES, console=not services).migrate()
