"""Reading the form that a browser posted, with limits."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

MOST_BODY_BYTES = 64 * 1024
MOST_FIELDS = 200


class TooLarge(Exception):
    """The posted body has more bytes or fields than any form of ours."""


async def posted_fields(request: Request) -> dict[str, list[str]]:
    """The posted fields; empty for other methods. Raises TooLarge, ClientDisconnect."""
    if request.method != "POST":
        return {}
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise TooLarge
    try:
        return parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise TooLarge from None
