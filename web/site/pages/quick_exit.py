"""Leaving in a hurry, and what is left to see afterwards."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from web.site.visit import LEFT, LEFT_SECONDS, Visit


def leave(visit: Visit) -> Response:
    """Forgets everything, and goes to a site that says nothing about anybody."""
    response = visit.forget(RedirectResponse(visit.site.settings.exit_url, 303))
    response.set_cookie(
        LEFT, "1", max_age=LEFT_SECONDS, httponly=True, samesite="strict", secure=visit.site.settings.secure
    )
    return response


def closed(visit: Visit) -> Response:
    """A page for whoever presses Back or comes without anything open, which says of nothing that it was there; or one
    that says that the time was up, to whoever still had something open."""
    timed_out = visit.token is not None and LEFT not in visit.cookies
    return visit.forget(visit.page("closed.html" if timed_out else "left.html"))


def again(visit: Visit) -> Response:
    response = visit.go_to("/")
    response.delete_cookie(LEFT, httponly=True, samesite="strict", secure=visit.site.settings.secure)
    return visit.forget(response)
