"""Pages with text only."""

from __future__ import annotations

from starlette.responses import Response

from web.site.visit import Visit


def safety(visit: Visit) -> Response:
    return visit.page("safety.html")


def privacy(visit: Visit) -> Response:
    return visit.page("privacy.html")


def accessibility(visit: Visit) -> Response:
    return visit.page("accessibility.html")
