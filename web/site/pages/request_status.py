"""Looking up a request's status, and withdrawing it, with its reference and passphrase."""

from __future__ import annotations

from starlette.responses import Response

from contracts.commands.intake import StatusAnswer
from contracts.reference import InvalidReference, parse_reference
from contracts.sealed import Credentials
from contracts.text import clean
from web.shared.texts import N_
from web.site.enquiry import EnquiryUnavailable
from web.site.pages import request
from web.site.visit import Visit

MOST_CHARACTERS = 200
NO_REFERENCE = N_("Enter your reference. It has nine letters and digits, like 9C28-SAU2-5")
MISTYPED = N_("One character of the reference seems to be mistyped. Please check it")
NO_WORDS = N_("Enter the words that you chose")
SAID_BY_INTAKE = (
    N_("We have your request. A person will read it, usually within two working days."),
    N_("Somebody is reading your request now."),
    N_("We are looking for someone near you to talk to."),
    N_("Your request is kept and nothing of it is lost. We go on with it as soon as we can."),
    N_("We have asked someone whether they can see you."),
    N_("Someone has agreed to see you and will get in touch in the way you asked."),
    N_("You have begun to see someone. You can tell us at any time how it goes."),
    N_("Your sessions have come to an end. You can ask again at any time."),
    N_("Another service fits better. We have told you which in the way you asked."),
    N_("Your request was taken back. You can ask again at any time."),
    N_("Your request is closed. You can ask again at any time."),
    N_("You have asked again since. Please look up that newer request."),
    N_(
        "We took this for a message that nobody had written. If you wrote it, please call us: we still have it, and go "
        "on with it."
    ),
    N_("We no longer hold what you told us. You can ask again at any time."),
    N_("We are looking for someone for the person you wrote for."),
    N_("We have asked someone whether they can see the person you wrote for."),
    N_("Someone has agreed to see the person you wrote for, and will get in touch."),
    N_("The person you wrote for has begun to see someone."),
    N_("The sessions have come to an end. You can ask again at any time."),
)
"""Intake's texts for a status, listed here so that the catalogues have them. Others are shown in English."""


def status(visit: Visit) -> Response:
    if not visit.is_post:
        return visit.page("status.html", problems={}, typed="")
    problems = _problems(visit)
    if problems:
        return visit.page("status.html", status=422, problems=problems, typed=visit.first("reference"))
    if _asks_too_often(visit):
        return visit.page("too_often.html", status=429)
    try:
        answer = _ask(visit)
    except EnquiryUnavailable:
        return _standing(visit, None)
    return request.begin(visit, _credentials(visit)) if answer.recognised else _standing(visit, answer)


def withdraw(visit: Visit) -> Response:
    """Withdraws a request if the passphrase is right, and says so if it isn't. There is no rate limit on withdrawing.

    If intake can't be asked, the withdrawal is sent all the same, and intake checks the passphrase later.
    """
    if not visit.is_post:
        return visit.page("withdraw.html", problems={}, typed="")
    problems = _problems(visit)
    if problems:
        return visit.page("withdraw.html", status=422, problems=problems, typed=visit.first("reference"))
    is_certain = True
    try:
        answer = _ask(visit)
        if not answer.recognised:
            return _standing(visit, answer)
    except EnquiryUnavailable:
        is_certain = False
    visit.site.publisher.withdraw(_credentials(visit))
    return visit.page("withdrawn.html", is_certain=is_certain)


def _ask(visit: Visit) -> StatusAnswer:
    """Intake's answer to the credentials; not asked while the reference is locked. Raises EnquiryUnavailable."""
    credentials, tries = _credentials(visit), visit.site.wrong_tries
    if tries.minutes_to_wait(credentials.reference):
        return StatusAnswer(recognised=False)
    answer = visit.site.enquiry.ask(credentials)
    if answer.recognised:
        tries.forget(credentials.reference)
    else:
        tries.record_wrong(credentials.reference)
    return answer


def _standing(visit: Visit, answer: StatusAnswer | None) -> Response:
    wait = visit.site.wrong_tries.minutes_to_wait(_credentials(visit).reference)
    return visit.page("standing.html", answer=answer, wait=wait, back=visit.path)


def _problems(visit: Visit) -> dict[str, str]:
    problems = {}
    try:
        parse_reference(visit.first("reference")[:MOST_CHARACTERS])
    except InvalidReference as wrong:
        problems["reference"] = MISTYPED if "mistyped" in str(wrong) else NO_REFERENCE
    if not 0 < len(_passphrase(visit)) <= MOST_CHARACTERS:
        problems["passphrase"] = NO_WORDS
    return problems


def _credentials(visit: Visit) -> Credentials:
    return Credentials(reference=parse_reference(visit.first("reference")), passphrase=_passphrase(visit))


def _passphrase(visit: Visit) -> str:
    """The passphrase, cleaned of invisible characters as the form does it."""
    return clean(visit.first("passphrase"))


def _asks_too_often(visit: Visit) -> bool:
    """Counts by network address and by reference, so that guessing one request is slow even from many addresses."""
    reference = parse_reference(visit.first("reference"))
    limit = visit.site.questions
    return limit.record_hit(f"from {visit.who}") | limit.record_hit(f"after {reference}")
