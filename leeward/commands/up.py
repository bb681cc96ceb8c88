"""`leeward up`: runs everything and stays.

What the services share is most of what a start has to load, so the process that they are forked from begins before
anything else is loaded here.
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
        from leeward.runtime.foreground import stay

        stay(var, sample=sample, prefork_server=prefork_server)
