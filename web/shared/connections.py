"""The HTTP connections of a front-end: time limits against slow clients, and an error page for malformed requests.

uvicorn has no time limit for a request's head, its body, or the reading of the response. Here each of these parts has
the same time, after which the connection is dropped. No thread waits meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import h11
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

NEXT_PART = "next_part"
"""The key in a request's state of the function that restarts the connection's time limit for its next part."""


def connections_of(request_time: timedelta, malformed: Callable[[], Response]) -> type[H11Protocol]:
    """The protocol to run uvicorn with. `malformed` makes the whole answer to what isn't HTTP, headers included."""

    class Connection(H11Protocol):
        def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], **named: Any) -> None:
            super().__init__(config, server_state, {**app_state, NEXT_PART: self.next_part}, **named)
            self.deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.next_part()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.deadline:
                self.deadline.cancel()

        def next_part(self) -> None:
            """Restarts the time limit for the part that begins now."""
            if self.deadline:
                self.deadline.cancel()
            self.deadline = self.loop.call_later(request_time.total_seconds(), self.transport.abort)

        def send_400_response(self, msg: str) -> None:
            """Answers malformed HTTP with a page of ours, unless a response has begun already."""
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                page = malformed()
                page.headers["Connection"] = "close"
                start = h11.Response(status_code=400, headers=page.raw_headers, reason=b"Bad Request")
                for event in (start, h11.Data(data=bytes(page.body)), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

    return Connection


class PartDeadlines:
    """ASGI middleware that restarts the connection's time limit after head, body and response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        next_part = scope.get("state", {}).get(NEXT_PART)
        if scope["type"] != "http" or next_part is None:
            await self._app(scope, receive, send)
            return

        async def receive_part() -> Message:
            message = await receive()
            if not message.get("more_body"):
                next_part()
            return message

        async def send_part(message: Message) -> None:
            await send(message)
            next_part()  # what is streamed may last, as long as it is read

        next_part()
        await self._app(scope, receive_part, send_part)
        next_part()
