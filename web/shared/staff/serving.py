"""From a request to a view: the one place where a page's form is read and whoever asks for it is let in or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from chassis.rpc import CommandFailed, NoAnswer
from web.shared.accounts.domain.refusals import AccountRefused
from web.shared.accounts.domain.vocabulary import Stage
from web.shared.answers import AnswerMiddleware
from web.shared.assets import Assets
from web.shared.bodies import TooLarge, posted_fields
from web.shared.connections import PartDeadlines
from web.shared.headers import common_headers
from web.shared.staff.access import Door, Page, may_open
from web.shared.staff.application import Application
from web.shared.staff.errors import error, error_of
from web.shared.staff.visit import Visit, visit_of

Endpoint = Callable[[Request], Awaitable[Response]]


class LinkSecret(StringConvertor):
    """A path parameter with the secret of a one-time link."""

    regex = "[A-Za-z0-9_-]{20,100}"


class Identifier(StringConvertor):
    """A path parameter with a UUID."""

    regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


register_url_convertor("link", LinkSecret())
register_url_convertor("id", Identifier())


def build(
    app: Application,
    pages: Sequence[Page],
    *,
    allowed_hosts: Sequence[str],
    start: Callable[[], None] = lambda: None,
    stop: Callable[[], None] = lambda: None,
) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        start()
        yield
        await to_thread.run_sync(stop)  # it waits for what is on its way

    starlette = Starlette(
        routes=[
            Route("/health/live", _live),
            Route("/health/ready", _ready),
            Mount("/static", Assets(*app.pages.static)),
            *(Route(page.path, _endpoint(app, page), methods=list(page.methods)) for page in pages),
        ],
        lifespan=lifespan,
        middleware=[
            Middleware(PartDeadlines),
            Middleware(AnswerMiddleware, headers=common_headers(secure=app.secure), page_for=partial(error_of, app)),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
        ],
    )
    starlette.router.redirect_slashes = False  # it would redirect to the host that the request names
    return starlette


def _endpoint(app: Application, page: Page) -> Endpoint:
    async def answer(request: Request) -> Response:
        visit = visit_of(app, request, path=request.scope["path"])
        try:
            visit.fields = await posted_fields(request)
        except TooLarge:
            return error(visit, 413)
        except ClientDisconnect:
            return Response(status_code=400)
        return await to_thread.run_sync(let_in, page, visit)

    return answer


def let_in(page: Page, visit: Visit) -> Response:
    """Shows the page to whoever may open it, and leads others to where they can sign in."""
    visit.find_session()
    if visit.is_post and not visit.is_genuine:
        return _where_its_session_ended(page, visit) or error(visit, 403, "expired")
    if elsewhere := _elsewhere(page, visit):
        return elsewhere
    try:
        return page.view(visit)
    except AccountRefused as refused:
        return _refused(page, visit, str(refused))
    except CommandFailed as failed:
        why = SAID_BEFORE if failed.name == SENT_BEFORE else failed.message
        return error(visit, 500) if failed.name in FAULTS else _refused(page, visit, why)
    except NoAnswer:
        return visit.page("away.html", status=503, back=page.back_of(visit.params) or visit.target)


SENT_BEFORE = "CommandIdTaken"
SAID_BEFORE = (
    "This form was sent before, and what it says is sealed anew each time. Go back and look whether it was done. "
    "If it wasn’t, open the form again."
)

FAULTS = frozenset({"InvalidShape", "TokenNotValid", "RemoteError"})
"""Errors of services that are nobody's doing but ours."""


def _refused(page: Page, visit: Visit, why: str) -> Response:
    return visit.page("refused.html", status=409, why=why, back=page.back_of(visit.params) or visit.target)


def _where_its_session_ended(page: Page, visit: Visit) -> Response | None:
    """Where somebody is led whose form is of a session that has ended, in another tab or by itself. It did nothing."""
    if visit.session or visit.from_elsewhere:
        return None
    return _elsewhere(page, visit) or (visit.go_to(page.back) if page.back else None)


def _elsewhere(page: Page, visit: Visit) -> Response | None:
    """Where somebody is led who can't open this page now; None if they can."""
    if page.need is Door.ANYBODY:
        return None
    stage = visit.session.stage if visit.session else None
    if page.need is Door.HALF_SIGNED_IN:
        return None if stage is Stage.PASSWORD else visit.go_to("/sign-in", next=visit.next)
    if page.need is Door.ADDS_FACTOR and stage is Stage.SET_UP:
        return None
    if visit.who is None:
        ways = {None: "/sign-in", Stage.PASSWORD: "/sign-in/code", Stage.SET_UP: "/set-up/factor"}
        return visit.go_to(ways[stage], next=_comes_back_to(page, visit))
    if not may_open(page.need, visit.who):
        return error(visit, 403)
    if page.recent and not visit.who.is_recent(visit.now):
        return visit.go_to("/sign-in/again", next=_comes_back_to(page, visit), done="not_yet" if visit.is_post else "")
    return None


def _comes_back_to(page: Page, visit: Visit) -> str:
    """The page itself, if it can be shown; what was posted is not done by signing in."""
    if "GET" in page.methods:
        return visit.target
    return page.back_of(visit.params) or "/"


async def _live(_: Request) -> Response:
    return JSONResponse({"live": True})


async def _ready(_: Request) -> Response:
    """In the services' format."""
    return JSONResponse({"ready": True, "waiting_for": [], "needs_a_person": None})
