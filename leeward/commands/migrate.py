"""`leeward migrate`."""

from __future__ import annotations

from typing import Annotated

import typer

from leeward.console.options import VAR, Folder
from leeward.console.terminal import plain_errors, refuse_unknown
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import ACCOUNTS, SERVICES, Workspace


def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None, var: Folder = VAR
) -> None:
    """Brings the services' databases, and that of accounts (`accounts`), to their newest revisions."""
    named = services or [*SERVICES, ACCOUNTS]
    of_services = [name for name in named if name != ACCOUNTS]
    refuse_unknown(of_services)
    workspace = Workspace(var)
    workspace.prepare()
    with plain_errors():
        Supervisor(workspace, "amqp://", of_services, console=ACCOUNTS in named).migrate()
