"""The quick exit, and what Back shows after it."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from web.site.visit import LEFT, LEFT_SECONDS, Visit


def leave(visit: Visit) -> Response:
    """Ends all sessions, and redirects to a harmless site."""
    response = visit.forget(RedirectResponse(visit.site.settings.exit_url, 303))
    response.set_cookie(
        LEFT, "1", max_age=LEFT_SECONDS, httponly=True, samesite="strict", secure=visit.site.settings.secure
    )
    return response


def closed(visit: Visit) -> Response:
    """An empty page after a quick exit or without a session, which doesn't show that anything was there.

    To a visitor whose session has expired, a page that says so.
    """
    timed_out = visit.token is not None and LEFT not in visit.cookies
    return visit.forget(visit.page("closed.html" if timed_out else "left.html"))


def again(visit: Visit) -> Response:
    response = visit.go_to("/")
    response.delete_cookie(LEFT, httponly=True, samesite="strict", secure=visit.site.settings.secure)
    return visit.forget(response)
