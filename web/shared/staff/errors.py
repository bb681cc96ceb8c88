"""The error pages of an application."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.shared.headers import common_headers
from web.shared.staff.application import Application
from web.shared.staff.visit import Visit, visit_of

SAID = {
    "expired": ("This form has expired", "Nothing was changed. Go back, load the page again, and send it once more."),
    403: ("You may not open this page", "None of your roles allows it. An administrator can give you one that does."),
    404: ("We can’t find this page", "The address may be mistyped, or the page may have moved."),
    405: ("This page can’t do that", "Please start again from the first page."),
    413: ("That is more than we can take", "Nothing was changed. Go back and write less."),
}
UNREADABLE = ("We can’t read this", "Something in the address, or in what was sent, is not as it should be.")
BROKEN = (
    "Something went wrong on our side",
    "Nothing was changed. Try again, and tell your operator if it stays.",
)


def error(visit: Visit, status: int, kind: str | None = None) -> Response:
    """The page that explains the status, or this kind of it."""
    heading, words = SAID.get(kind or status) or (UNREADABLE if status < 500 else BROKEN)
    return visit.page("error.html", status=status, heading=heading, words=words)


def error_of(app: Application, request: Request, status: int) -> Response:
    return error(visit_of(app, request, path="/"), status)


def malformed(app: Application) -> Response:
    """The whole answer to what isn't HTTP."""
    page = error(Visit(app), 400)
    page.headers.update({**common_headers(secure=app.secure), **page.headers})
    return page
