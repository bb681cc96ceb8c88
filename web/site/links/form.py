"""The page of a form: one question a page or all on one, as its reader likes. A score is never shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from starlette.responses import Response

from contracts.commands.evaluation import FormPage, Item
from contracts.sealed import Answer, EvaluationForm
from contracts.vocabulary import Respondent
from web.site.links.ground import Asked, Link, was_sent
from web.site.sessions import NoRoom, Session
from web.site.visit import Visit, draft_of

LINK: Link[FormPage] = Link("form", lambda visit, secret: visit.site.enquiry.open_form(secret, visit.language))
OPENING: set[Callable[[Visit], Response]] = set()
"""The pages that open what was chosen so far, and so take turns in it."""

CHANGING = "change"

log = structlog.get_logger()

View = Callable[[Visit, Asked[FormPage]], Response]


def _to_fill_in(view: View) -> Callable[[Visit], Response]:
    """A page for as long as the form is open and has words; otherwise says how it stands."""

    def view_if_open(visit: Visit, asked: Asked[FormPage]) -> Response:
        if not asked.is_open or not asked.page.items:
            return _how_it_stands(visit, asked)
        return view(visit, asked)

    page = LINK.opens(view_if_open)
    OPENING.add(page)
    return page


@_to_fill_in
def start(visit: Visit, asked: Asked[FormPage]) -> Response:
    """What the form is about, and the choice how to fill it in."""
    if was_sent(visit):
        return visit.page("link_have_it.html", is_client=_is_client(asked))
    return visit.page("form.html", form=asked.page, is_client=_is_client(asked))


@_to_fill_in
def item(visit: Visit, asked: Asked[FormPage]) -> Response:
    number, items = int(visit.params["number"]), asked.page.items
    if not 1 <= number <= len(items):
        return visit.go_to("/form")
    question = items[number - 1]
    if not visit.is_post:
        chosen = _draft(visit, asked).get(question.code)
        return visit.page(
            "form_item.html",
            form=asked.page,
            handle=asked.handle,
            is_client=_is_client(asked),
            item=question,
            number=number,
            of=len(items),
            chosen=chosen,
            changing=CHANGING in visit.query,
        )
    try:
        _keep(visit, asked, {question.code: _chosen(visit, question)})
    except NoRoom:
        return visit.page("full.html", status=503)
    goes_back = number == len(items) or visit.first(CHANGING)
    return visit.go_to("/form/check" if goes_back else f"/form/item/{number + 1}")


@_to_fill_in
def everything(visit: Visit, asked: Asked[FormPage]) -> Response:
    if visit.is_post:
        return _send(visit, asked, {item.code: _chosen(visit, item) for item in asked.page.items})
    return _questions(visit, asked, "form_all.html", _draft(visit, asked))


@_to_fill_in
def check(visit: Visit, asked: Asked[FormPage]) -> Response:
    draft = _draft(visit, asked)
    if visit.is_post:
        return _send(visit, asked, draft)
    return _questions(visit, asked, "form_check.html", draft)


def _questions(visit: Visit, asked: Asked[FormPage], template: str, draft: Mapping[str, int | None]) -> Response:
    """All of them, and what was chosen so far."""
    return visit.page(template, form=asked.page, handle=asked.handle, draft=draft, is_client=_is_client(asked))


def _how_it_stands(visit: Visit, asked: Asked[FormPage]) -> Response:
    late = visit.is_post and not asked.is_open
    return visit.page(
        "form_stands.html",
        status=409 if late else 200,
        state=asked.page.state.value,
        is_client=_is_client(asked),
        late=late,
    )


def _send(visit: Visit, asked: Asked[FormPage], answers: Mapping[str, int | None]) -> Response:
    given = tuple(Answer(item=code, value=value) for code, value in answers.items() if value is not None)
    receipt = visit.site.publisher.return_evaluation(EvaluationForm(token=asked.secret, answers=given))
    log.info("form_sent", submission_id=str(receipt.submission_id), delivered=receipt.delivered)
    visit.site.sessions.end(draft_of(asked.secret))
    return asked.sent(visit)


def _chosen(visit: Visit, item: Item) -> int | None:
    """What may be chosen, or nothing: every question may be left out."""
    return next((choice.value for choice in item.choices if visit.first(item.code) == str(choice.value)), None)


def _draft(visit: Visit, asked: Asked[FormPage]) -> dict[str, int | None]:
    """What was chosen so far, by the codes that the form has now."""
    with visit.site.sessions.open(draft_of(asked.secret)) as session:
        kept = session.answers if session else {}
    return {item.code: int(str(kept[item.code])) if item.code in kept else None for item in asked.page.items}


def _keep(visit: Visit, asked: Asked[FormPage], answers: Mapping[str, int | None]) -> None:
    """Raises NoRoom."""
    token = draft_of(asked.secret)
    kept = {code: str(value) for code, value in (_draft(visit, asked) | dict(answers)).items() if value is not None}
    with visit.site.sessions.open(token) as session:
        if session:
            session.answers = {**kept}
            return
    begun = Session(route="form", started_at=visit.site.clock.now().isoformat(), answers={**kept})
    visit.site.sessions.begin(begun, visit.who, token=token)


def _is_client(asked: Asked[FormPage]) -> bool:
    return asked.page.respondent is Respondent.CLIENT
