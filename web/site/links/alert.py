"""The page of a safeguarding alert: what it is about, and a button to acknowledge it."""

from __future__ import annotations

import structlog
from starlette.responses import Response

from contracts.commands.notifications import AlertPage
from contracts.sealed import AlertAnswer
from contracts.vocabulary import ConcernCategory, Severity
from web.shared.texts import N_
from web.site.links.link import Link, OpenedLink, was_sent
from web.site.visit import Visit

LINK: Link[AlertPage] = Link("alert", lambda visit, secret: visit.site.enquiry.open_alert(secret))
SEVERITIES = {
    Severity.IMMEDIATE: N_("Immediate"),
    Severity.URGENT: N_("Urgent"),
    Severity.ADVISORY: N_("For information"),
}
CATEGORIES = {
    ConcernCategory.CHILD_AT_RISK: N_("A child may be at risk"),
    ConcernCategory.ADULT_AT_RISK: N_("An adult who cannot protect themselves may be at risk"),
    ConcernCategory.PERSON_AT_RISK: N_("A child, or an adult who cannot protect themselves, may be at risk"),
    ConcernCategory.RISK_TO_SELF: N_("The client may not be safe from themselves"),
    ConcernCategory.YOUNG_CLIENT: N_("The client is under 18"),
}

log = structlog.get_logger()


@LINK.opens
def answer(visit: Visit, opened: OpenedLink[AlertPage]) -> Response:
    if visit.is_post and opened.is_open:
        receipt = visit.site.publisher.answer_alert(AlertAnswer(token=opened.secret))
        log.info("alert_answered", submission_id=str(receipt.submission_id), delivered=receipt.delivered)
        return opened.after_sending(visit)
    if opened.is_open and was_sent(visit):
        return visit.page("link_have_it.html", is_client=False)
    page = opened.page
    return visit.page(
        "alert.html",
        status=409 if visit.is_post else 200,
        alert=page,
        handle=opened.handle,
        state=page.state.value,
        late=visit.is_post,
        severity=SEVERITIES[page.severity] if page.severity else "",
        category=CATEGORIES[page.category] if page.category else "",
    )
