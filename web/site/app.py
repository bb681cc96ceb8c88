"""The site as an ASGI application: its routes, and how a request reaches a view."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, StringConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from web.shared.answers import AnswerMiddleware
from web.shared.assets import Assets
from web.shared.bodies import TooLarge, posted_fields
from web.shared.connections import PartDeadlines
from web.shared.headers import common_headers
from web.shared.languages import ENGLISH, LANGUAGES
from web.site.links import alert, client, offer
from web.site.links import form as forms
from web.site.pages import form, plain, quick_exit, request, request_contact, request_status, submit
from web.site.pages.errors import error, error_of
from web.site.rendering import STATIC
from web.site.site import Site
from web.site.visit import LEFT, REQUEST, Visit, session_token_for, visit_of

View = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
MOST_SENDING = 40
"""How many requests may wait for the broker at once, in threads apart from those that render pages."""

GET, POST, FORM = ("GET",), ("POST",), ("GET", "POST")

PAGES: tuple[tuple[str, tuple[str, ...], View], ...] = (
    ("/", GET, form.start),
    ("/", POST, form.choose_route),
    ("/leaving", FORM, form.leaving),
    ("/step/{number:step}", FORM, form.step),
    ("/check", FORM, submit.check),
    ("/done", GET, submit.done),
    ("/stay", POST, form.extend_session),
    ("/exit", GET, quick_exit.leave),
    ("/closed", GET, quick_exit.closed),
    ("/again", GET, quick_exit.again),
    ("/request", FORM, request_status.status),
    ("/request/standing", GET, request.standing),
    ("/request/contact", FORM, request_contact.contact),
    ("/request/contact/{question:question}", FORM, request_contact.contact),
    ("/request/code", FORM, request.code),
    ("/request/another", FORM, request.another),
    ("/request/agree", FORM, request.agree),
    ("/request/take-back", FORM, request.take_back),
    ("/withdraw", FORM, request_status.withdraw),
    ("/safety", GET, plain.safety),
    ("/privacy", GET, plain.privacy),
    ("/accessibility", GET, plain.accessibility),
    ("/form/{token:secret}", GET, forms.LINK.arrive),
    ("/form", GET, forms.start),
    ("/form/item/{number:step}", FORM, forms.item),
    ("/form/all", FORM, forms.everything),
    ("/form/check", FORM, forms.check),
    ("/offer/{token:secret}", GET, offer.LINK.arrive),
    ("/offer", FORM, offer.answer),
    ("/offer/decline", FORM, offer.decline),
    ("/alert/{token:secret}", GET, alert.LINK.arrive),
    ("/alert", FORM, alert.answer),
    ("/client/{token:secret}", GET, client.LINK.arrive),
    ("/client", FORM, client.client),
    ("/client/code", FORM, client.send_code),
    ("/client/report", FORM, client.report),
)
SHOWN_AFTER_LEAVING = {"/exit", "/closed", "/again"}
SENDING: set[View] = {
    submit.check,
    request_status.withdraw,
    request.take_back,
    forms.everything,
    forms.check,
    offer.answer,
    offer.decline,
    alert.answer,
    client.report,
}


class StepNumber(IntegerConvertor):
    """A path parameter of up to four digits, more than any form has steps."""

    regex = "[0-9]{1,4}"


class SecretOfLink(StringConvertor):
    """A path parameter with the secret of a one-time link, as `secrets.token_urlsafe` makes it."""

    regex = "[A-Za-z0-9_-]{20,100}"


class NameOfQuestion(StringConvertor):
    """A path parameter that names a question about a new contact."""

    regex = "|".join(request_contact.NAMES)


register_url_convertor("question", NameOfQuestion())
register_url_convertor("step", StepNumber())
register_url_convertor("secret", SecretOfLink())


def build_app(site: Site) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        site.start()
        yield
        await run_in_threadpool(site.stop)

    app = Starlette(
        routes=_routes(site),
        lifespan=lifespan,
        middleware=[
            Middleware(PartDeadlines),
            Middleware(
                AnswerMiddleware,
                headers=common_headers(secure=site.settings.secure),
                page_for=partial(error_of, site),
            ),
            Middleware(TrustedHostMiddleware, allowed_hosts=site.settings.allowed_hosts, www_redirect=False),
        ],
    )
    app.router.redirect_slashes = False  # it would redirect to the host that the request names, which may be forged
    return app


def _routes(site: Site) -> list[BaseRoute]:
    senders = CapacityLimiter(MOST_SENDING)
    pages = [
        Route(address, _endpoint(site, view, language, path, senders), methods=list(methods))
        for language in LANGUAGES
        for path, methods, view in PAGES
        for address in _addresses(language, path)
    ]
    return [
        Route("/health/live", _live),
        Route("/health/ready", _ready),
        Mount("/static", Assets(*STATIC)),
        *pages,
    ]


def _addresses(language: str, path: str) -> tuple[str, ...]:
    """A page's paths in a language. The Welsh start page has two, with and without the trailing slash."""
    if language == ENGLISH:
        return (path,)
    return (f"/{language}/", f"/{language}") if path == "/" else (f"/{language}{path}",)


def _endpoint(site: Site, view: View, language: str, route: str, senders: CapacityLimiter) -> Endpoint:
    """Reads the posted form and runs the view in a thread; views that wait for the broker use the `senders` threads."""
    without_secret = route.partition("/{token")[0]
    path = without_secret.replace(":step", "").replace(":question", "")

    async def answer(request: Request) -> Response:
        visit = visit_of(site, request, language=language, path=path.format(**request.path_params))
        try:
            visit.fields = await posted_fields(request)
        except TooLarge:
            return error(visit, 413)
        except ClientDisconnect:
            return Response(status_code=400)
        limiter = senders if visit.is_post and view in SENDING else None
        async with site.sessions.turn(_opened_by(visit, view)):
            return await to_thread.run_sync(partial(_show, view, visit), limiter=limiter)

    return answer


def _opened_by(visit: Visit, view: View) -> str | None:
    """The token of the session that a view opens, if it opens one: requests for one session run one by one."""
    if view in forms.OPENING:
        return session_token_for(visit.secret_of(forms.LINK.name))
    if view in request.OPENING | request_contact.OPENING:
        return session_token_for(visit.secret_of(REQUEST))
    return visit.token if view in form.OPENING else None


def _show(view: View, visit: Visit) -> Response:
    if LEFT in visit.cookies and visit.path not in SHOWN_AFTER_LEAVING:
        return quick_exit.closed(visit)
    if visit.is_post and visit.from_elsewhere:
        return visit.go_to("/")
    return view(visit)


async def _live(_: Request) -> Response:
    return JSONResponse({"live": True})


async def _ready(_: Request) -> Response:
    """In the services' format. The site is ready without the broker, because it spools what it can't send."""
    return JSONResponse({"ready": True, "waiting_for": [], "needs_a_person": None})
