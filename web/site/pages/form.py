"""The way through a form, one thing after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.responses import Response

from web.site.forms.definition import Definition, Kind
from web.site.forms.engine import (
    Shown,
    answer_page,
    applicable,
    first_unanswered,
    page_after,
    page_before,
    page_numbered,
)
from web.site.forms.kinds import raw_of
from web.site.pages.spam import is_trapped
from web.site.sessions import NoRoom, Session
from web.site.texts import N_
from web.site.visit import Visit

CHANGING = "change"
CHOOSE_A_ROUTE = N_("Choose who you would like help for")


def start(visit: Visit) -> Response:
    """Who is it for? Whoever answers has a session from then on."""
    route = visit.first("route")
    if visit.is_post and route in visit.site.definitions:
        session = Session(route=route, started_at=visit.site.clock.now().isoformat())
        if is_trapped(visit):
            session.suspected.append("honeypot")
        visit.site.sessions.end(visit.token)
        try:
            token = visit.site.sessions.begin(session)
        except NoRoom:
            return visit.page("full.html", status=503)
        return visit.remember(visit.go_to("/leaving"), token)
    problems = {"route": CHOOSE_A_ROUTE} if visit.is_post else {}
    return visit.page(
        "start.html", status=422 if problems else 200, problems=problems, routes=visit.site.definitions.values()
    )


def with_session(view: Callable[[Visit, Session, Definition], Response]) -> Callable[[Visit], Response]:
    """Opens the session for a page that needs one, and refuses a form that was not posted from our own page."""

    def open_and_view(visit: Visit) -> Response:
        with visit.site.sessions.open(visit.token) as session:
            if session is not None:
                if visit.is_post and visit.first("csrf") != session.csrf:
                    return visit.go_to(visit.path)
                return view(visit, session, visit.site.definitions[session.route])
        return visit.go_to("/closed")

    return open_and_view


@with_session
def leaving(visit: Visit, session: Session, definition: Definition) -> Response:
    """How to leave quickly, before the first question."""
    if visit.is_post:
        session.knows_how_to_leave = True
        return visit.go_to("/step/1")
    return visit.page("leaving.html", session=session, definition=definition)


@with_session
def stay(visit: Visit, session: Session, definition: Definition) -> Response:
    """Opening the session has made it last."""
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
    return _take_answers(visit, session, definition, shown)


def _take_answers(visit: Visit, session: Session, definition: Definition, shown: Shown) -> Response:
    now = visit.site.clock.now()
    outcome = answer_page(definition, session.answers, shown, visit.fields, today=now.date())
    if outcome.problems:
        return _show_step(visit, session, definition, shown, outcome.problems)
    session.answers = outcome.answers
    session.agreed_at.update({one.id: now.isoformat() for one in shown.questions if one.kind is Kind.CONSENT})
    if visit.first(CHANGING):
        return _go_on(visit, first_unanswered(definition, session.answers), changing=True)
    return _go_on(visit, page_after(definition, session.answers, shown.number))


def _go_on(visit: Visit, shown: Shown | None, *, changing: bool = False) -> Response:
    if shown is None:
        return visit.go_to("/check")
    return visit.go_to(f"/step/{shown.number}" + (f"?{CHANGING}=1" if changing else ""))


def _show_step(
    visit: Visit, session: Session, definition: Definition, shown: Shown, problems: Mapping[str, str] | None = None
) -> Response:
    changing = bool(visit.query.get(CHANGING) or visit.first(CHANGING))
    before = page_before(definition, session.answers, shown.number)
    kept = {name: list(values) for name, values in visit.fields.items()} if problems else {}
    for question in shown.questions if not problems else ():
        kept |= raw_of(question, session.answers.get(question.id))
    return visit.page(
        "step.html",
        status=422 if problems else 200,
        session=session,
        definition=definition,
        shown_page=shown,
        answers=applicable(definition, session.answers),
        raw=kept,
        problems=problems or {},
        changing=changing,
        back="/check" if changing else f"/step/{before.number}" if before else "/leaving",
    )
