"""The pages of a form: choosing the route, how to leave, and one step after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeGuard

from starlette.responses import Response

from contracts.london import day_of
from web.shared.forms.definition import Definition
from web.shared.forms.engine import (
    Shown,
    answer_page,
    applicable,
    first_unanswered,
    newly_asked,
    page_after,
    page_before,
    page_numbered,
    place_of,
)
from web.shared.forms.field_types import raw_of
from web.shared.languages import LANGUAGES
from web.shared.texts import N_
from web.site.pages.spam import is_trapped
from web.site.sessions import NoRoom, Session
from web.site.visit import Visit

CHANGING = "change"
BEGUN = "begun"
"""A query parameter after a session was begun: a visitor who has it and no session has a browser without cookies."""

OPENING: set[Callable[[Visit], Response]] = set()
"""The views that open the session; requests for one session run one by one."""

CHOOSE_A_ROUTE = N_("Choose who you would like help for")


def start(visit: Visit) -> Response:
    """The start page. It waits for nothing, not even for a request of the same session that is being sent."""
    session = visit.site.sessions.read(visit.token)
    return _start_page(visit, resume=_path_on(visit, session) if _has_content(session) else "")


def choose_route(visit: Visit) -> Response:
    """Begins a session for the chosen route. A session with answers is only replaced after a question."""
    route = visit.first("route")
    chosen = route in visit.site.definitions
    with visit.site.sessions.open(visit.token) as session:
        written = session if _has_content(session) else None
        if chosen and written and not (visit.first("anew") and visit.first("csrf") == written.csrf):
            return _resume_or_ask(visit, written, route)
        resume = _path_on(visit, written) if written else ""
    return _begin(visit, route) if chosen else _start_page(visit, resume=resume, problems={"route": CHOOSE_A_ROUTE})


OPENING.add(choose_route)


def _has_content(session: Session | None) -> TypeGuard[Session]:
    return session is not None and bool(session.answers or session.draft)


def _start_page(visit: Visit, *, resume: str, problems: Mapping[str, str] = MappingProxyType({})) -> Response:
    return visit.page(
        "start.html",
        status=422 if problems else 200,
        problems=problems,
        routes=visit.site.definitions.values(),
        resume=resume,
    )


def _resume_or_ask(visit: Visit, session: Session, route: str) -> Response:
    """Resumes the session if it has the same route; otherwise asks before it is replaced."""
    if session.route == route:
        return visit.go_to(_path_on(visit, session))
    return visit.page(
        "begun.html",
        session=session,
        route=visit.site.definitions[route],
        begun=visit.site.definitions[session.route],
        resume=_path_on(visit, session),
    )


def _begin(visit: Visit, route: str) -> Response:
    session = Session(route=route, started_at=visit.site.clock.now().isoformat())
    if is_trapped(visit):
        session.suspected.append("honeypot")
    visit.site.sessions.end(visit.token)
    try:
        token = visit.site.sessions.begin(session, visit.who)
    except NoRoom:
        return visit.page("full.html", status=503)
    return visit.remember(visit.go_to(f"/leaving?{BEGUN}=1"), token)


def _path_on(visit: Visit, session: Session) -> str:
    """The path of the page at which a visitor continues their form."""
    if not session.knows_how_to_leave:
        return "/leaving"
    shown = first_unanswered(visit.site.definitions[session.route], session.answers)
    return f"/step/{shown.number}" if shown else "/check"


def with_session(view: Callable[[Visit, Session, Definition], Response]) -> Callable[[Visit], Response]:
    """Decorates a view that needs a session: opens it, and rejects posts without its CSRF token."""

    def open_and_view(visit: Visit) -> Response:
        with visit.site.sessions.open(visit.token) as session:
            if session is not None:
                if visit.is_post and visit.first("csrf") != session.csrf:
                    return visit.go_to(visit.path)
                return view(visit, session, visit.site.definitions[session.route])
        if visit.token is None and BEGUN in visit.query:
            return visit.page("cookies.html")
        return visit.go_to("/closed")

    OPENING.add(open_and_view)
    return open_and_view


@with_session
def leaving(visit: Visit, session: Session, definition: Definition) -> Response:
    """How to leave quickly, before the first question."""
    if visit.is_post:
        session.knows_how_to_leave = True
        return visit.go_to("/step/1")
    return visit.page("leaving.html", session=session, definition=definition)


@with_session
def extend_session(visit: Visit, session: Session, definition: Definition) -> Response:
    """Extends the session, which `with_session` does by opening it."""
    return Response(status_code=204)


@with_session
def step(visit: Visit, session: Session, definition: Definition) -> Response:
    if session.reference:
        return visit.go_to("/done")
    if not session.knows_how_to_leave:
        return visit.go_to("/leaving")
    shown = page_numbered(definition, session.answers, visit.params["number"])
    if shown is None:
        return _go_on(visit, first_unanswered(definition, session.answers))
    if not visit.is_post:
        return _show_step(visit, session, definition, shown)
    if visit.first("language") in LANGUAGES:
        return _switch_language(visit, session, shown)
    return _take_answers(visit, session, definition, shown)


def _switch_language(visit: Visit, session: Session, shown: Shown) -> Response:
    """Shows the same page in another language, with the unchecked fields that were typed so far."""
    asked = {question.id for question in shown.questions}
    fields = {name: list(values) for name, values in visit.fields.items() if name.partition("-")[0] in asked}
    session.save_draft(shown.page.id, fields)
    changing = f"?{CHANGING}=1" if visit.first(CHANGING) else ""
    return visit.go_to(f"/step/{shown.number}{changing}", language=visit.first("language"))


def _take_answers(visit: Visit, session: Session, definition: Definition, shown: Shown) -> Response:
    now, before = visit.site.clock.now(), session.answers
    posted = answer_page(definition, before, shown, visit.fields, today=day_of(now))
    if posted.problems:
        return _show_step(visit, session, definition, shown, posted.problems)
    session.answers = posted.answers
    session.forget_draft()
    session.agreed_at.update({question.id: now.isoformat() for question in shown.questions if question.is_consent})
    if visit.first(CHANGING):
        asked = first_unanswered(definition, session.answers) or newly_asked(definition, before, session.answers)
        return _go_on(visit, asked, changing=True)
    if visit.first("then") == "check":
        return _go_on(visit, first_unanswered(definition, session.answers))
    return _go_on(visit, page_after(definition, session.answers, shown.number))


def _go_on(visit: Visit, shown: Shown | None, *, changing: bool = False) -> Response:
    if shown is None:
        return visit.go_to("/check")
    return visit.go_to(f"/step/{shown.number}" + (f"?{CHANGING}=1" if changing else ""))


def _show_step(
    visit: Visit, session: Session, definition: Definition, shown: Shown, problems: Mapping[str, str] | None = None
) -> Response:
    changing = bool(visit.query.get(CHANGING) or visit.first(CHANGING))
    number, total = place_of(definition, session.answers, shown.number)
    return visit.page(
        "step.html",
        status=422 if problems else 200,
        session=session,
        definition=definition,
        shown_page=shown,
        number=number,
        total=total,
        answers=applicable(definition, session.answers),
        raw=_fields_of(visit, session, shown, posted=bool(problems)),
        problems=problems or {},
        changing=changing,
        course=visit.site.next_courses() if shown.page.panel == "course" else (),
        back="/check" if changing else _path_back(definition, session, shown),
    )


def _fields_of(visit: Visit, session: Session, shown: Shown, *, posted: bool) -> dict[str, list[str]]:
    """The contents of the page's fields: what was just posted, the draft saved when the language was switched, or the
    stored answers."""
    if posted:
        return {name: list(values) for name, values in visit.fields.items()}
    if session.draft_page == shown.page.id:
        return dict(session.draft)
    fields: dict[str, list[str]] = {}
    for question in shown.questions:
        fields |= raw_of(question, session.answers.get(question.id))
    return fields


def _path_back(definition: Definition, session: Session, shown: Shown) -> str:
    before = page_before(definition, session.answers, shown.number)
    if before:
        return f"/step/{before.number}"
    return "/check" if shown.page.more else "/leaving"
