"""The evaluation form behind a link: one question a page, or all on one page. Scores are never shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from starlette.responses import Response

from contracts.commands.evaluation import FormPage, Item
from contracts.sealed import Answer, EvaluationForm
from contracts.vocabulary import Respondent
from web.site.links.link import Link, OpenedLink, was_sent
from web.site.sessions import NoRoom, Session
from web.site.visit import Visit, session_token_for

LINK: Link[FormPage] = Link("form", lambda visit, secret: visit.site.enquiry.open_form(secret, visit.language))
OPENING: set[Callable[[Visit], Response]] = set()
"""The views that open the session with the unsent answers; requests for one session run one by one."""

CHANGING = "change"

log = structlog.get_logger()

View = Callable[[Visit, OpenedLink[FormPage]], Response]


def _to_fill_in(view: View) -> Callable[[Visit], Response]:
    """Decorates a view for an open form with questions; otherwise a page shows the form's state."""

    def view_if_open(visit: Visit, opened: OpenedLink[FormPage]) -> Response:
        if not opened.is_open or not opened.page.items:
            return _how_it_stands(visit, opened)
        return view(visit, opened)

    page = LINK.opens(view_if_open)
    OPENING.add(page)
    return page


@_to_fill_in
def start(visit: Visit, opened: OpenedLink[FormPage]) -> Response:
    """What the form is about, and the choice how to fill it in."""
    if was_sent(visit):
        return visit.page("link_have_it.html", is_client=_is_client(opened))
    return visit.page("form.html", form=opened.page, is_client=_is_client(opened))


@_to_fill_in
def item(visit: Visit, opened: OpenedLink[FormPage]) -> Response:
    number, items = int(visit.params["number"]), opened.page.items
    if not 1 <= number <= len(items):
        return visit.go_to("/form")
    question = items[number - 1]
    if not visit.is_post:
        chosen = _draft(visit, opened).get(question.code)
        return visit.page(
            "form_item.html",
            form=opened.page,
            handle=opened.handle,
            is_client=_is_client(opened),
            item=question,
            number=number,
            of=len(items),
            chosen=chosen,
            changing=CHANGING in visit.query,
        )
    try:
        _save_draft(visit, opened, {question.code: _chosen(visit, question)})
    except NoRoom:
        return visit.page("full.html", status=503)
    goes_back = number == len(items) or visit.first(CHANGING)
    return visit.go_to("/form/check" if goes_back else f"/form/item/{number + 1}")


@_to_fill_in
def everything(visit: Visit, opened: OpenedLink[FormPage]) -> Response:
    if visit.is_post:
        return _send(visit, opened, {item.code: _chosen(visit, item) for item in opened.page.items})
    return _questions(visit, opened, "form_all.html", _draft(visit, opened))


@_to_fill_in
def check(visit: Visit, opened: OpenedLink[FormPage]) -> Response:
    draft = _draft(visit, opened)
    if visit.is_post:
        return _send(visit, opened, draft)
    return _questions(visit, opened, "form_check.html", draft)


def _questions(visit: Visit, opened: OpenedLink[FormPage], template: str, draft: Mapping[str, int | None]) -> Response:
    """A page with all questions and what was chosen so far."""
    return visit.page(template, form=opened.page, handle=opened.handle, draft=draft, is_client=_is_client(opened))


def _how_it_stands(visit: Visit, opened: OpenedLink[FormPage]) -> Response:
    late = visit.is_post and not opened.is_open
    return visit.page(
        "form_stands.html",
        status=409 if late else 200,
        state=opened.page.state.value,
        is_client=_is_client(opened),
        late=late,
    )


def _send(visit: Visit, opened: OpenedLink[FormPage], answers: Mapping[str, int | None]) -> Response:
    given = tuple(Answer(item=code, value=value) for code, value in answers.items() if value is not None)
    receipt = visit.site.publisher.return_evaluation(EvaluationForm(token=opened.secret, answers=given))
    log.info("form_sent", submission_id=str(receipt.submission_id), delivered=receipt.delivered)
    visit.site.sessions.end(session_token_for(opened.secret))
    return opened.after_sending(visit)


def _chosen(visit: Visit, item: Item) -> int | None:
    """The posted choice if it is valid, otherwise None: every question may be left out."""
    return next((choice.value for choice in item.choices if visit.first(item.code) == str(choice.value)), None)


def _draft(visit: Visit, opened: OpenedLink[FormPage]) -> dict[str, int | None]:
    """What was chosen so far, by the item codes that the form has now."""
    with visit.site.sessions.open(session_token_for(opened.secret)) as session:
        chosen = session.answers if session else {}
    return {item.code: int(str(chosen[item.code])) if item.code in chosen else None for item in opened.page.items}


def _save_draft(visit: Visit, opened: OpenedLink[FormPage], answers: Mapping[str, int | None]) -> None:
    """Adds answers to the session behind this link, and begins one if there is none. Raises NoRoom."""
    token = session_token_for(opened.secret)
    chosen = {code: str(value) for code, value in (_draft(visit, opened) | dict(answers)).items() if value is not None}
    with visit.site.sessions.open(token) as session:
        if session:
            session.answers = {**chosen}
            return
    begun = Session(route="form", started_at=visit.site.clock.now().isoformat(), answers={**chosen})
    visit.site.sessions.begin(begun, visit.who, token=token)


def _is_client(opened: OpenedLink[FormPage]) -> bool:
    return opened.page.respondent is Respondent.CLIENT
