"""The console as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from web.console.settings import ConsoleSettings
from web.shared.accounts.pages.table import PAGES
from web.shared.staff.application import Application
from web.shared.staff.serving import build


def build_app(console: Application, settings: ConsoleSettings) -> Starlette:
    return build(console, PAGES, allowed_hosts=settings.allowed_hosts)
