"""Adds the common headers to every response, and replaces the framework's plain-text errors by the site's error page.

Routing, static files and other parts of the framework answer an error with a line of plain text, which a visitor should
never see.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.observability.logs import describe
from web.site.headers import common_headers
from web.site.languages import language_of
from web.site.pages.errors import error
from web.site.site import Site
from web.site.visit import visit_of

log = structlog.get_logger()


class AnswerMiddleware:
    """ASGI middleware; must be outside of everything that may answer with an error."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._site = app, site
        self._headers = common_headers(site.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._headers)
        try:
            await self._app(scope, receive, answer.send)
        except Exception as broken:
            # The traceback could hold what somebody wrote, so the exception is not re-raised.
            log.error("page_failed", **describe(broken))
            answer.bare = None if answer.has_begun else Response(status_code=500)
        if answer.bare is not None:
            page = self._page_instead_of(answer.bare, Request(scope))
            await page(scope, receive, answer.send)

    def _page_instead_of(self, bare: Response, request: Request) -> Response:
        visit = visit_of(self._site, request, language=language_of(request.scope["path"]))
        page = error(visit, bare.status_code)
        if "Allow" in bare.headers:
            page.headers["Allow"] = bare.headers["Allow"]
        return page


class _Answer:
    """One response being sent. `bare` is a plain-text error, which is held back to be replaced by a page."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send, self._headers = send, headers
        self.bare: Response | None = None
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            is_bare = headers.get("Content-Type", "text/plain").startswith("text/plain")
            if message["status"] >= 400 and is_bare:
                self.bare = Response(status_code=message["status"], headers=headers)
                return
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            message["headers"] = headers.raw
            self.bare, self.has_begun = None, True
        if self.bare is None:
            await self._send(message)
