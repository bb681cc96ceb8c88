"""Checking the answers, sending them exactly once, and the confirmation page."""

from __future__ import annotations

from datetime import datetime

import structlog
from starlette.responses import Response

from contracts.reference import spell
from contracts.sealed import HelpSubmission, SafeChannel
from contracts.vocabulary import HelpKind
from web.shared.forms.definition import Definition
from web.shared.forms.engine import applicable, first_unanswered
from web.shared.forms.overview import overview
from web.shared.forms.submission import FORM, FORM_VERSION, build
from web.site.pages.form import with_session
from web.site.pages.spam import suspicions
from web.site.sessions import Session
from web.site.visit import Visit

log = structlog.get_logger()

WRITER, CLIENT_UNASKED, PASS_ON, CLIENT_CALLS = "writer", "client_unasked", "pass_on", "client_calls"
CLIENT_TOO = "client_too"
COURSE, NO_THERAPIST = "course", "no_therapist"
"""Codes for what happens next; they are stored after the answers are forgotten, and hold nothing personal."""


def outlook_of(submission: HelpSubmission) -> list[str]:
    """The codes of what the confirmation page says about what happens next."""
    is_written_for = submission.written_by is not None
    calls = submission.contact is not None and submission.contact.channel is SafeChannel.CLIENT_CALLS
    found = {
        WRITER: is_written_for,
        CLIENT_TOO: is_written_for and submission.client_agrees and submission.contact is not None and not calls,
        CLIENT_UNASKED: not submission.client_agrees,
        PASS_ON: submission.client_agrees and not submission.consents.pass_to_therapist,
        CLIENT_CALLS: calls and not is_written_for,
        COURSE: HelpKind.FAMILY_COURSE in submission.help_wanted,
        NO_THERAPIST: not submission.seeks_therapist,
    }
    return [code for code, holds in found.items() if holds]


@with_session
def check(visit: Visit, session: Session, definition: Definition) -> Response:
    if session.reference:
        return visit.go_to("/done")
    unanswered = first_unanswered(definition, session.answers)
    if unanswered is not None:
        return visit.go_to(f"/step/{unanswered.number}")
    if visit.is_post:
        _send(visit, session, definition)
        return visit.go_to("/done")
    return visit.page(
        "check.html",
        session=session,
        definition=definition,
        overview=overview(definition, session.answers),
        answers=applicable(definition, session.answers),
    )


@with_session
def done(visit: Visit, session: Session, definition: Definition) -> Response:
    if not session.reference:
        return visit.go_to("/check")
    return visit.page(
        "done.html",
        session=session,
        definition=definition,
        outlook=session.outlook,
        course=visit.site.next_courses() if COURSE in session.outlook else (),
        reference=session.reference,
        spelt=spell(session.reference),
    )


def _send(visit: Visit, session: Session, definition: Definition) -> None:
    """Returns once the request is on this machine's disk, sealed, or at the broker.

    The session is open for nobody else meanwhile, so that two clicks at once send one request.
    """
    submission = build(
        definition,
        session.answers,
        at=visit.site.clock.now(),
        agreed_at={name: datetime.fromisoformat(at) for name, at in session.agreed_at.items()},
        language=visit.language,
        suspected=suspicions(visit, session),
    )
    receipt = visit.site.publisher.request_help(submission, form=FORM, form_version=FORM_VERSION)
    log.info("sent", submission_id=str(receipt.submission_id), delivered=receipt.delivered)
    session.reference, session.outlook = receipt.reference, outlook_of(submission)
    session.forget_answers()
