"""Changing how a client is reached: one question a page, each asked only where the answers before it call for it.

What was typed so far lies in the session with the credentials, and goes once it was sent on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from contracts.sealed import SafeChannel, SafeContact, SafeHours
from contracts.text import clean
from contracts.typed.emails import read_email
from contracts.typed.faults import Fault, Unreadable
from contracts.typed.telephones import read_telephone
from contracts.vocabulary import ClientStep
from web.shared.forms.wording import said
from web.shared.texts import N_, Words
from web.site.pages.request import KnownRequest, request_change, with_request
from web.site.visit import Visit, session_token_for

WAYS: Mapping[str, str] = {
    SafeChannel.EMAIL: N_("By email"),
    SafeChannel.TEXT: N_("By text message"),
    SafeChannel.TELEPHONE: N_("By telephone"),
    SafeChannel.POST: N_("By post"),
    SafeChannel.CLIENT_CALLS: N_("Not at all: I will call you"),
}
HOURS: Mapping[str, str] = {
    SafeHours.ANY: N_("At any time"),
    SafeHours.MORNING: N_("Mornings, 9am to midday"),
    SafeHours.AFTERNOON: N_("Afternoons, midday to 5pm"),
    SafeHours.EVENING: N_("Evenings, 5pm to 8pm"),
}
YES_OR_NO = {"yes": N_("Yes"), "no": N_("No")}
MOST_OF_NAME, MOST_OF_ADDRESS = 120, 400

Typed = Mapping[str, str]
"""What was answered so far, by the question's name."""


def _always(_: Typed) -> bool:
    return True


def _of(*ways: SafeChannel) -> Callable[[Typed], bool]:
    """Whether one of these ways was chosen."""
    return lambda typed: typed.get("way") in ways


@dataclass(frozen=True)
class Question:
    """One page. With `choices` one of them is chosen; otherwise something is typed, and `read` gives it in one form."""

    name: str
    label: str
    missing: str = ""
    hint: str = ""
    choices: Mapping[str, str] | None = None
    read: Callable[[str], str] = clean
    asked: Callable[[Typed], bool] = _always

    def take(self, typed: str) -> str:
        """The answer as it is kept; empty if nothing was answered. Raises Unreadable."""
        if self.choices is not None:
            return typed if typed in self.choices else ""
        text = clean(typed).strip()
        return self.read(text) if text else ""


def _address(text: str) -> str:
    return _no_longer_than(MOST_OF_ADDRESS, text)


def _name(text: str) -> str:
    return _no_longer_than(MOST_OF_NAME, text)


def _no_longer_than(most: int, text: str) -> str:
    if len(text) > most:
        raise Unreadable(Fault.TEXT_LONG, count=len(text), most=most)
    return text


_CALLED = _of(SafeChannel.TELEPHONE)
_WRITTEN_TO = _of(SafeChannel.EMAIL, SafeChannel.TEXT, SafeChannel.TELEPHONE, SafeChannel.POST)
QUESTIONS = (
    Question("way", N_("How is it safe to reach you?"), N_("Choose how it is safe to reach you"), choices=WAYS),
    Question(
        "email",
        N_("Which email address is safe?"),
        N_("Enter an email address, like name@example.org"),
        hint=N_("Choose one that only you read. Please check it carefully."),
        read=read_email,
        asked=_of(SafeChannel.EMAIL),
    ),
    Question(
        "mobile",
        N_("Which number is safe?"),
        N_("Enter a telephone number, like 01632 960 001"),
        read=lambda text: read_telephone(text, for_texts=True).e164,
        asked=_of(SafeChannel.TEXT),
    ),
    Question(
        "telephone",
        N_("Which number is safe?"),
        N_("Enter a telephone number, like 01632 960 001"),
        read=lambda text: read_telephone(text).e164,
        asked=_CALLED,
    ),
    Question(
        "address",
        N_("Where can we write to?"),
        N_("Enter the address to write to"),
        hint=N_("We use a plain envelope."),
        read=_address,
        asked=_of(SafeChannel.POST),
    ),
    Question(
        "hours",
        N_("When is it safe?"),
        N_("Choose when it is safe"),
        choices=HOURS,
        asked=_of(SafeChannel.EMAIL, SafeChannel.TEXT, SafeChannel.TELEPHONE),
    ),
    Question(
        "message",
        N_("If you do not answer, may we leave a message?"),
        N_("Choose yes or no"),
        choices=YES_OR_NO,
        asked=_CALLED,
    ),
    Question(
        "who",
        N_("May we say who we are?"),
        N_("Choose yes or no"),
        hint=N_("If you say no, nothing we send or say names us or what it is about."),
        choices=YES_OR_NO,
        asked=_WRITTEN_TO,
    ),
    Question(
        "name",
        N_("Who should we say is calling or writing?"),
        hint=N_("A first name, for example. We only say this, and nothing else, to whoever answers."),
        read=_name,
        asked=lambda typed: _WRITTEN_TO(typed) and typed.get("who") == "no",
    ),
    Question(
        "old",
        N_("Is the way that we had before still safe? If it is, we tell you there, too, that it has changed."),
        N_("Say whether the way that we had before is still safe"),
        choices={"yes": N_("Yes"), "no": N_("No, or I am not sure")},
    ),
)
"""In the order in which they are asked."""

NAMES = tuple(question.name for question in QUESTIONS)


@with_request
def contact(visit: Visit, known: KnownRequest) -> Response:
    """Asks one thing of the new contact, and after the last sends it on. The current one is never shown."""
    if not known.may(ClientStep.CHANGE_CONTACT):
        return visit.go_to("/request/standing")
    typed = _typed_so_far(visit, known)
    asked = [question for question in QUESTIONS if question.asked(typed)]
    question = next((one for one in asked if one.name == visit.params.get("question", NAMES[0])), None)
    unanswered = next(one for one in (*asked, None) if one is None or one.name not in typed)
    if question is None or (unanswered and asked.index(question) > asked.index(unanswered)):
        return visit.go_to(_page_of(unanswered or asked[0]))
    if not visit.is_post:
        return _ask(visit, known, question, asked, typed.get(question.name, ""))
    try:
        answer = question.take(visit.first(question.name))
    except Unreadable as fault:
        return _ask(visit, known, question, asked, visit.first(question.name), said(fault))
    if question.missing and not answer:
        return _ask(visit, known, question, asked, visit.first(question.name), question.missing)
    return _go_on(visit, known, question, {**typed, question.name: answer})


def _go_on(visit: Visit, known: KnownRequest, question: Question, typed: Typed) -> Response:
    """To the next question; after the last the contact is sent on, and what was typed is forgotten."""
    asked = [one for one in QUESTIONS if one.asked(typed)]
    following = asked[asked.index(question) + 1 :]
    _keep(visit, known, typed if following else {})
    if following:
        return visit.go_to(_page_of(following[0]))
    new, is_safe = _contact_of(typed), typed["old"] == "yes"
    return request_change(visit, known, ClientStep.CHANGE_CONTACT, contact=new, old_is_safe=is_safe)


def _ask(
    visit: Visit,
    known: KnownRequest,
    question: Question,
    asked: list[Question],
    value: str,
    problem: str | Words | None = None,
) -> Response:
    before = asked[: asked.index(question)]
    return visit.page(
        "request_contact.html",
        status=422 if problem else 200,
        question=question,
        value=value,
        problems={question.name: problem} if problem else {},
        action=_page_of(question),
        back=_page_of(before[-1]) if before else "/request/standing",
        handle=known.handle,
    )


def _contact_of(typed: Typed) -> SafeContact:
    return SafeContact(
        channel=SafeChannel(typed["way"]),
        hours=SafeHours(typed.get("hours") or SafeHours.ANY),
        email=_answer(typed, "email"),
        telephone=_answer(typed, "mobile") or _answer(typed, "telephone"),
        address=_answer(typed, "address"),
        may_leave_message=typed.get("message") == "yes",
        discreet=typed.get("who") != "yes",
        call_as=_answer(typed, "name"),
    )


def _answer(typed: Typed, name: str) -> str | None:
    """None of a question that isn't asked any more, because another way was chosen since."""
    is_asked = any(question.asked(typed) for question in QUESTIONS if question.name == name)
    return (typed.get(name) or None) if is_asked else None


def _page_of(question: Question) -> str:
    return "/request/contact" if question is QUESTIONS[0] else f"/request/contact/{question.name}"


def _typed_so_far(visit: Visit, known: KnownRequest) -> Typed:
    with visit.site.sessions.open(session_token_for(known.secret)) as session:
        return {name: values[0] for name, values in session.draft.items()} if session else {}


def _keep(visit: Visit, known: KnownRequest, typed: Typed) -> None:
    with visit.site.sessions.open(session_token_for(known.secret)) as session:
        if session:
            session.save_draft("contact", {name: [answer] for name, answer in typed.items()})


OPENING = {contact}
"""As `request.OPENING`."""
