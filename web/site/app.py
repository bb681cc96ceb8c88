"""The site as an ASGI application: which address shows what, and what every answer carries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from chassis.logs import describe
from web.site.languages import ENGLISH, LANGUAGES
from web.site.pages import form, leaving, plain, sending, standing
from web.site.rendering import STATIC
from web.site.site import Site
from web.site.visit import LEFT, Visit, visit_of

View = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
MOST_BODY_BYTES = 64 * 1024
MOST_FIELDS = 200
GET, FORM = ("GET",), ("GET", "POST")

PAGES: tuple[tuple[str, tuple[str, ...], View], ...] = (
    ("/", FORM, form.start),
    ("/leaving", FORM, form.leaving),
    ("/step/{number:int}", FORM, form.step),
    ("/check", FORM, sending.check),
    ("/done", GET, sending.done),
    ("/stay", ("POST",), form.stay),
    ("/exit", GET, leaving.leave),
    ("/closed", GET, leaving.closed),
    ("/again", GET, leaving.again),
    ("/request", FORM, standing.status),
    ("/withdraw", FORM, standing.withdraw),
    ("/safety", GET, plain.safety),
    ("/privacy", GET, plain.privacy),
    ("/accessibility", GET, plain.accessibility),
)
SHOWN_AFTER_LEAVING = {"/exit", "/closed", "/again"}

log = structlog.get_logger()


class TooLarge(Exception):
    """More was posted than any form of ours can hold."""


def build_app(site: Site) -> Starlette:
    pages = [Route(path, _endpoint(site, view), methods=list(methods)) for path, methods, view in PAGES]
    routes: list[BaseRoute] = [
        Route("/health/live", _live),
        Route("/health/ready", _ready),
        Mount("/static", _Assets(directory=STATIC)),
        *(Mount(f"/{language}", routes=pages) for language in LANGUAGES if language != ENGLISH),
        *pages,
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        site.start()
        yield
        await run_in_threadpool(site.stop)

    missing = _endpoint(site, plain.not_found)
    return Starlette(
        routes=routes, lifespan=lifespan, exception_handlers={404: _handler(missing), 405: _handler(missing)}
    )


def _endpoint(site: Site, view: View) -> Endpoint:
    """Reads the form, shows the page in a thread, and lets nothing escape that could be logged in the clear."""

    async def answer(request: Request) -> Response:
        visit = visit_of(site, request, {})
        try:
            visit.fields = await _fields(request)
            response = await run_in_threadpool(_show, view, visit)
        except TooLarge:
            response = visit.page("too_large.html", status=413)
        except ClientDisconnect:
            response = Response(status_code=400)
        except Exception as error:
            log.error("page_failed", **describe(error))
            response = visit.page("broken.html", status=500)
        return _with_headers(response, visit)

    return answer


def _show(view: View, visit: Visit) -> Response:
    if LEFT in visit.cookies and visit.path not in SHOWN_AFTER_LEAVING:
        return leaving.closed(visit)
    if visit.is_post and visit.from_elsewhere:
        return visit.go_to("/")
    return view(visit)


async def _fields(request: Request) -> dict[str, list[str]]:
    """What was posted. Raises TooLarge."""
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


def _with_headers(response: Response, visit: Visit) -> Response:
    policy = (
        f"default-src 'none'; script-src 'self' 'nonce-{visit.nonce}'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers.update(
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
        }
    )
    if visit.site.settings.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


class _Assets(StaticFiles):
    """Files that say nothing of who looked at what; their addresses change with their content."""

    def file_response(self, *arguments: object, **named: object) -> Response:
        response = super().file_response(*arguments, **named)  # type: ignore[arg-type]
        response.headers.update(
            {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        )
        return response


def _handler(endpoint: Endpoint) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, _: Exception) -> Response:
        return await endpoint(request)

    return handle


async def _live(_: Request) -> Response:
    return JSONResponse({"live": True})


async def _ready(_: Request) -> Response:
    """As the services answer. It never waits for the broker: what is sent meanwhile is spooled."""
    return JSONResponse({"ready": True, "waiting_for": [], "needs_a_person": None})
