"""`leeward up`: runs everything in the foreground.

Most of a start's time goes into loading what all services share. So the process that they are forked from starts first,
and loads it while this process imports the rest.
"""

from __future__ import annotations

from typing import Annotated

import typer

from leeward.console.options import VAR, Folder
from leeward.runtime.prefork import opened


def up(
    var: Folder = VAR,
    sample: Annotated[int, typer.Option(help="Let this many sample requests flow through.", min=0)] = 0,
) -> None:
    """Starts a broker if AMQP_URI names none, every service and the public site, and stays until Ctrl-C."""
    with opened() as prefork_server:
        from leeward.runtime.foreground import run_in_foreground

        run_in_foreground(var, sample=sample, prefork_server=prefork_server)
