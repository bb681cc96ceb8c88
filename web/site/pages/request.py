"""A request's pages for a client who has given its reference and passphrase: its status, and what they can change.

The credentials are stored in a session, encrypted under a secret that only the browser's cookie has. Every page asks
intake again. The client's contact is never shown, only whether a new one is confirmed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.responses import Response

from chassis.privacy.one_time_codes import DIGITS, digits_of
from contracts.commands.intake import StatusAnswer
from contracts.sealed import ClientChange, Credentials
from contracts.vocabulary import ClientStep, ContactChangeState
from web.shared.texts import N_, Words
from web.site.enquiry import EnquiryUnavailable
from web.site.sessions import NoRoom, Session
from web.site.visit import REQUEST, Visit, handle_of, session_token_for

SIX_DIGITS = N_("Enter the six digits of the code")
SAID_BY_INTAKE = (
    N_("A person reads what you sent, and you hear from us in the way you asked."),
    N_("When they have read it we look for the right person for you."),
    N_("When someone can see you, you hear from us. It may take some weeks, and we keep looking."),
    N_("They answer within a few days. If they can’t, we ask somebody else."),
    N_("If you have heard nothing from them after a week, please call us."),
    N_(
        "Before we look for someone we need your word that we may tell them how to reach you, and what they need to "
        "know. Without it we can’t ask anybody, and your request waits."
    ),
    N_("We wait until the person you wrote for agrees. If they do, please tell us."),
    N_("We wait until you would like to go on. Please call us when you do."),
    N_("We wait for something that we asked about."),
    N_("Somebody tells you about the course or the group that you asked for."),
    N_("When they have read it we look for the right person."),
    N_("When someone is found, we tell you or them. It may take some weeks, and we keep looking."),
    N_("If neither of you has heard anything after a week, please call us."),
    N_(
        "Before we look for someone we need the word of the person you wrote for that we may pass on how to reach "
        "them. Please ask them, and tell us what they say."
    ),
    N_("We wait until the person you wrote for would like to go on. Please call us when they do."),
    N_("You wait for help with the cost. The list is served in order, and nothing else is held up by it."),
)
"""Intake's texts for what comes next, listed here so that the catalogues have them."""

log = structlog.get_logger()


@dataclass(frozen=True)
class KnownRequest:
    """A request that was looked up: the session's secret, the credentials, and intake's answer."""

    secret: str
    credentials: Credentials
    answer: StatusAnswer

    @property
    def handle(self) -> str:
        return handle_of(self.secret)

    def may(self, step: ClientStep) -> bool:
        return step in self.answer.may


View = Callable[[Visit, KnownRequest], Response]


def begin(visit: Visit, credentials: Credentials) -> Response:
    """Stores the credentials in a session, so that they need not be typed for each page."""
    secret = secrets.token_urlsafe(24)
    session = Session(REQUEST, visit.site.clock.now().isoformat(), answers=credentials.to_json())
    visit.site.sessions.end(session_token_for(visit.secret_of(REQUEST)))
    try:
        visit.site.sessions.begin(session, visit.who, token=session_token_for(secret))
    except NoRoom:
        return visit.page("full.html", status=503)
    return visit.remember_secret(visit.go_to("/request/standing"), REQUEST, secret)


def with_request(view: View) -> Callable[[Visit], Response]:
    """Decorates a view for a client whose credentials are in the session, and looks the request up for it."""

    def look_and_view(visit: Visit) -> Response:
        secret = visit.secret_of(REQUEST)
        with visit.site.sessions.open(session_token_for(secret)) as session:
            if secret is None or session is None or session.route != REQUEST:
                return visit.go_to("/request")
            credentials = Credentials.from_json(dict(session.answers))
        try:
            answer = visit.site.enquiry.ask(credentials)
        except EnquiryUnavailable:
            return visit.page("standing.html", answer=None, wait=0, back="/request")
        known = KnownRequest(secret, credentials, answer)
        if not answer.recognised or (visit.is_post and visit.first("link") != known.handle):
            return visit.go_to("/request")
        return visit.remember_secret(view(visit, known), REQUEST, secret)

    return look_and_view


@with_request
def standing(visit: Visit, known: KnownRequest) -> Response:
    """The status, since when, what comes next, and what the client can do."""
    answer = known.answer
    return visit.page(
        "standing.html",
        answer=answer,
        wait=0,
        back="/request",
        may={step.value for step in answer.may},
        change=answer.contact_change and answer.contact_change.value,
        done=visit.query.get("done", ""),
        came=visit.query.get("came", ""),
    )


@with_request
def code(visit: Visit, known: KnownRequest) -> Response:
    """Takes the code that was sent to the new contact."""
    waits = known.answer.contact_change in (ContactChangeState.CODE_SENT, ContactChangeState.WRONG_CODE)
    if not waits:
        return visit.go_to("/request/standing")
    problems: dict[str, str | Words] = {}
    if visit.is_post:
        typed = digits_of(visit.first("code"))
        if len(typed) == DIGITS:
            return request_change(visit, known, ClientStep.ENTER_CODE, code=typed)
        problems["code"] = SIX_DIGITS
    wrong = known.answer.contact_change is ContactChangeState.WRONG_CODE and not problems
    if wrong and not visit.is_post and "wrong" in visit.query:
        problems["code"] = N_("That is not the code. Please check it: five tries are allowed")
    status = 422 if problems and visit.is_post else 200
    return visit.page("request_code.html", status=status, problems=problems, handle=known.handle)


@with_request
def another(visit: Visit, known: KnownRequest) -> Response:
    return _confirm(visit, known, ClientStep.ASK_FOR_ANOTHER)


@with_request
def agree(visit: Visit, known: KnownRequest) -> Response:
    return _confirm(visit, known, ClientStep.AGREE_TO_PASS_ON)


@with_request
def take_back(visit: Visit, known: KnownRequest) -> Response:
    """Withdraws the request, by a spooled message as elsewhere, so that it works while the broker is away."""
    if not known.may(ClientStep.WITHDRAW):
        return visit.go_to("/request/standing")
    if not visit.is_post:
        return visit.page("request_confirm.html", step=ClientStep.WITHDRAW.value, handle=known.handle)
    receipt = visit.site.publisher.withdraw(known.credentials)
    log.info("withdrawal_sent", submission_id=str(receipt.submission_id), delivered=receipt.delivered)
    visit.site.sessions.end(session_token_for(known.secret))
    return visit.page("withdrawn.html", is_certain=True)


OPENING = {standing, code, another, agree, take_back}
"""The views that open the session with the credentials; requests for one session run one by one."""


def _confirm(visit: Visit, known: KnownRequest, step: ClientStep) -> Response:
    if not known.may(step):
        return visit.go_to("/request/standing")
    if not visit.is_post:
        return visit.page("request_confirm.html", step=step.value, handle=known.handle)
    return request_change(visit, known, step)


def request_change(visit: Visit, known: KnownRequest, step: ClientStep, **said: object) -> Response:
    """Has intake make the change, and redirects to the page that shows the result."""
    change = ClientChange(**known.credentials.to_json(), step=step, **said)  # type: ignore[arg-type]
    try:
        answer = visit.site.enquiry.change(change)
    except EnquiryUnavailable:
        return visit.page("standing.html", answer=None, wait=0, back="/request")
    log.info("changed_by_client", step=step.value)
    if step is ClientStep.CHANGE_CONTACT and answer.contact_change is ContactChangeState.CODE_SENT:
        return visit.go_to("/request/code")
    if answer.contact_change is ContactChangeState.WRONG_CODE and step is ClientStep.ENTER_CODE:
        return visit.go_to("/request/code?wrong=1")
    came = answer.contact_change.value if answer.contact_change else ""
    return visit.go_to(f"/request/standing?done={step.value}&came={came}")
