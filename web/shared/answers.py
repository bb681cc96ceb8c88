"""Adds the common headers to every response, and replaces the framework's plain-text errors by an error page.

Routing, static files and other parts of the framework answer an error with a line of plain text, which nobody should
see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.observability.logs import describe

log = structlog.get_logger()


class AnswerMiddleware:
    """ASGI middleware; must be outside of everything that may answer with an error.

    `page_for` makes the page of a status.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str], page_for: Callable[[Request, int], Response]) -> None:
        self._app, self._headers, self._page_for = app, headers, page_for

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
        page = self._page_for(request, bare.status_code)
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
