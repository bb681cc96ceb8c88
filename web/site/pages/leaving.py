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
    """An empty page, for whoever presses Back or comes after the time was up."""
    return visit.forget(visit.page("closed.html"))


def again(visit: Visit) -> Response:
    response = visit.go_to("/")
    response.delete_cookie(LEFT, httponly=True, samesite="strict", secure=visit.site.settings.secure)
    return visit.forget(response)
