"""The error page, for every status."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.shared.headers import common_headers
from web.shared.languages import language_of
from web.shared.texts import N_
from web.site.site import Site
from web.site.visit import LEFT, Visit, visit_of

UNREADABLE = (
    N_("We can’t read this"),
    N_(
        "Something in the address, or in what was sent, is not as it should be. Please start again from our first page."
    ),
)
BROKEN = (
    N_("Something went wrong on our side"),
    N_(
        "It was not your fault. If you were just sending something, it has not been sent: please go back and try "
        "again. You can also call us on %(telephone)s."
    ),
)
SAID = {
    404: (N_("We can’t find this page"), N_("The address may be mistyped, or the page may have moved.")),
    405: (N_("This page can’t do that"), N_("Please start again from our first page.")),
    413: (
        N_("That is more than we can take"),
        N_("Please go back and write less. Nothing that you wrote before is lost."),
    ),
}


def error(visit: Visit, status: int) -> Response:
    """The page that explains the status; after a quick exit an empty page."""
    if LEFT in visit.cookies:
        return visit.page("left.html", status=status)
    heading, words = SAID.get(status) or (UNREADABLE if status < 500 else BROKEN)
    goes_back = status == 413 or status >= 500
    return visit.page("error.html", status=status, heading=heading, words=words, goes_back=goes_back)


def error_of(site: Site, request: Request, status: int) -> Response:
    """The error page in the language of the request's path, whether or not there is such a page."""
    return error(visit_of(site, request, language=language_of(request.scope["path"])), status)


def malformed(site: Site) -> Response:
    """The whole answer to what isn't HTTP."""
    page = error(Visit(site), 400)
    page.headers.update({**common_headers(secure=site.settings.secure), **page.headers})
    return page
