"""The console as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from web.console.console import Console
from web.console.pages.table import pages_of
from web.console.settings import ConsoleSettings
from web.shared.staff.serving import build


def build_app(console: Console, settings: ConsoleSettings) -> Starlette:
    return build(
        console.application,
        pages_of(console.desk, console.live),
        allowed_hosts=settings.allowed_hosts,
        start=console.start,
        stop=console.stop,
    )
