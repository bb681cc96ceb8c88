"""The page of an introduction: how a therapist who has typed a code reaches their client, and what they tell us.

Each time it shows the client's contact, the service records a reading in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import structlog
from starlette.responses import Response

from chassis.privacy.one_time_links import new_token
from contracts.commands.notifications import ClientPage
from contracts.labels import LANGUAGES
from contracts.london import day_of
from contracts.sealed import ClientContact, SafeChannel, SafeContact, SafeHours, TherapyAnswer
from contracts.typed.telephones import write_telephone
from contracts.vocabulary import MatchEndReason, TherapyReport
from web.shared.texts import N_
from web.site.enquiry import EnquiryUnavailable
from web.site.links.link import Link, OpenedLink, was_sent
from web.site.visit import Visit

RIGHT = "client-right"
"""The cookie that identifies a browser in which the right code was typed."""

HOURS = {
    SafeHours.ANY: N_("At any time"),
    SafeHours.MORNING: N_("9:00 to 12:00"),
    SafeHours.AFTERNOON: N_("12:00 to 17:00"),
    SafeHours.EVENING: N_("17:00 to 20:00"),
}
WAYS = {
    SafeChannel.EMAIL: N_("Write by e-mail to"),
    SafeChannel.TELEPHONE: N_("Telephone"),
    SafeChannel.TEXT: N_("Send a text message to"),
    SafeChannel.POST: N_("Write by post to"),
    SafeChannel.CLIENT_CALLS: N_("How"),
}
NOT_GIVEN = N_("Not given: please ask us")
WHO_ASKED = N_("Whoever asked for them")
REPORTS = {
    TherapyReport.CONTACT_MADE: N_("I have made contact"),
    TherapyReport.FIRST_SESSION: N_("We have had the first session"),
    TherapyReport.NOT_ATTENDED: N_("They did not attend: we have never met"),
    TherapyReport.ENDED: N_("Our work has ended"),
}
ENDINGS = {
    MatchEndReason.COMPLETED: N_("It is completed"),
    MatchEndReason.CLIENT_UNHAPPY: N_("They would like to see somebody else"),
    MatchEndReason.NOT_ATTENDED: N_("They never came"),
}
ON_A_DAY = (TherapyReport.CONTACT_MADE, TherapyReport.FIRST_SESSION)
CHOOSE_WHAT, CHOOSE_WHY = N_("Choose what you would like to tell us"), N_("Choose why it has ended")
NO_DAY = N_("Enter the day")
IN_FUTURE = N_("That day is still to come")
BEFORE_MATCH = N_("That is before you accepted")
WRONG_CODE = N_("That is not the code, or it is too old")

log = structlog.get_logger()


def _ask(visit: Visit, secret: str) -> ClientPage:
    return visit.site.enquiry.open_client(secret, visit.secret_of(RIGHT))


LINK: Link[ClientPage] = Link("client", _ask)

View = Callable[[Visit, OpenedLink[ClientPage]], Response]


@dataclass(frozen=True)
class Row:
    """One line about the client. `ours`: the text is the site's and is translated; otherwise the client typed it."""

    name: str
    text: str
    ours: bool = False


def _while_open(view: View) -> Callable[[Visit], Response]:
    """Decorates a view for an open link; a closed one gets a page with its state."""

    def view_if_open(visit: Visit, opened: OpenedLink[ClientPage]) -> Response:
        if not opened.is_open:
            status = 409 if visit.is_post else 200
            return visit.page("client_stands.html", status=status, state=opened.page.state.value)
        try:
            return view(visit, opened)
        except EnquiryUnavailable:
            return visit.page("link_away.html", status=503)

    return LINK.opens(view_if_open)


@_while_open
def client(visit: Visit, opened: OpenedLink[ClientPage]) -> Response:
    """Asks for the code, and shows how the client is reached to whoever has typed it."""
    if visit.is_post:
        return _enter(visit, opened)
    if not opened.page.is_known:
        return _code_page(visit, opened)
    page, contact = visit.site.enquiry.read_client(opened.secret, visit.secret_of(RIGHT))
    if contact is None:  # it has become void in between
        return visit.go_to("/client")
    return visit.page(
        "client.html",
        client=page,
        rows=_rows(contact),
        discreet=reached.discreet if (reached := _reached(contact)) else True,
        may_report=bool(page.matched_on and _open_reports(page)),
        sent=was_sent(visit),
    )


@_while_open
def send_code(visit: Visit, opened: OpenedLink[ClientPage]) -> Response:
    """Has a code sent by text message. If it is too early for another, the page says so."""
    if visit.is_post:
        visit.site.enquiry.send_client_code(opened.secret)
    return visit.go_to("/client")


@_while_open
def report(visit: Visit, opened: OpenedLink[ClientPage]) -> Response:
    """What the therapist would like to tell: contact made, the first session, that they never met, an end."""
    page = opened.page
    if not page.is_known:
        return _code_page(visit, opened, status=409, late=True) if visit.is_post else visit.go_to("/client")
    if page.matched_on is None:
        return visit.go_to("/client")
    if not visit.is_post:
        return _report_page(visit, opened, {})
    said, problems = _read_report(visit, opened, page.matched_on)
    if said is None:
        return _report_page(visit, opened, problems)
    receipt = visit.site.publisher.report_therapy(said)
    log.info("therapy_reported", submission_id=str(receipt.submission_id), delivered=receipt.delivered)
    return opened.after_sending(visit, until=lambda now: _is_on_record(now, said))


def _enter(visit: Visit, opened: OpenedLink[ClientPage]) -> Response:
    right = visit.secret_of(RIGHT) or new_token()
    page = visit.site.enquiry.enter_client_code(opened.secret, visit.first("code"), right)
    if page.is_known:
        return visit.remember_secret(visit.go_to("/client"), RIGHT, right)
    return _code_page(visit, OpenedLink(opened.link, opened.secret, page), status=422, problems={"code": WRONG_CODE})


def _code_page(
    visit: Visit,
    opened: OpenedLink[ClientPage],
    *,
    status: int = 200,
    problems: Mapping[str, str] | None = None,
    late: bool = False,
) -> Response:
    return visit.page(
        "client_code.html",
        status=status,
        client=opened.page,
        handle=opened.handle,
        problems=problems or {},
        late=late,
    )


def _report_page(visit: Visit, opened: OpenedLink[ClientPage], problems: Mapping[str, str]) -> Response:
    return visit.page(
        "client_report.html",
        status=422 if problems else 200,
        reports={what: REPORTS[what] for what in _open_reports(opened.page)},
        endings=ENDINGS,
        chosen=visit.first("what"),
        why=visit.first("why"),
        typed={part: visit.first(part) for part in ("day", "month", "year")},
        problems=problems,
        handle=opened.handle,
    )


def _open_reports(page: ClientPage) -> list[TherapyReport]:
    """The reports that the therapist hasn't made yet."""
    known = {
        TherapyReport.CONTACT_MADE: page.contact_made_on is not None,
        TherapyReport.FIRST_SESSION: page.first_session_on is not None,
        TherapyReport.NOT_ATTENDED: page.not_attended or page.first_session_on is not None,
    }
    return [what for what in TherapyReport if not known.get(what)]


def _read_report(
    visit: Visit, opened: OpenedLink[ClientPage], matched_on: date
) -> tuple[TherapyAnswer | None, Mapping[str, str]]:
    """The report, or None and the problems by field."""
    right = visit.secret_of(RIGHT)
    what = next((report for report in _open_reports(opened.page) if report.value == visit.first("what")), None)
    if what is None or right is None:
        return None, {"what": CHOOSE_WHAT}
    day = _day(visit) if what in ON_A_DAY else None
    why = next((reason for reason in ENDINGS if reason.value == visit.first("why")), None)
    reason = why if what is TherapyReport.ENDED else None
    if what is TherapyReport.ENDED and reason is None:
        return None, {"why": CHOOSE_WHY}
    if what in ON_A_DAY:
        problem = _problem_of(day, matched_on=matched_on, today=day_of(visit.site.clock.now()))
        if problem:
            return None, {"on": problem}
    return TherapyAnswer(token=opened.secret, right=right, what=what, on=day, reason=reason), {}


def _problem_of(day: date | None, *, matched_on: date, today: date) -> str | None:
    if day is None:
        return NO_DAY
    if day > today:
        return IN_FUTURE
    return BEFORE_MATCH if day < matched_on else None


def _day(visit: Visit) -> date | None:
    try:
        return date(*(int(visit.first(part)) for part in ("year", "month", "day")))
    except (ValueError, OverflowError):
        return None


def _is_on_record(page: ClientPage, said: TherapyAnswer) -> bool:
    """Whether the report has reached the service, as its page shows."""
    match said.what:
        case TherapyReport.CONTACT_MADE:
            return page.contact_made_on is not None
        case TherapyReport.FIRST_SESSION:
            return page.first_session_on is not None
        case TherapyReport.NOT_ATTENDED:
            return page.not_attended
        case TherapyReport.ENDED:
            return False  # the link is closed then


def _reached(contact: ClientContact) -> SafeContact | None:
    """The client, or whoever wrote for them where that is how they are reached."""
    return contact.contact or (contact.writer.contact if contact.writer else None)


def _rows(contact: ClientContact) -> tuple[Row, ...]:
    rows = [Row(N_("Reference"), contact.reference)]
    rows.append(Row(N_("Name"), contact.name) if contact.name else Row(N_("Name"), N_("Not given"), ours=True))
    if contact.contact is None and contact.writer:
        spoken = contact.writer.name or contact.writer.relationship
        rows.append(Row(N_("Speak with"), spoken) if spoken else Row(N_("Speak with"), WHO_ASKED, ours=True))
    rows.append(Row(N_("Language"), LANGUAGES.get(contact.language, contact.language)))
    reached = _reached(contact)
    if reached is None:
        return (*rows, Row(N_("How"), NOT_GIVEN, ours=True))
    rows.append(_way(reached, addressee=contact.addressee if reached is contact.contact else None))
    if reached.channel is SafeChannel.TELEPHONE:
        may = N_("Yes") if reached.may_leave_message else N_("No, never")
        rows.append(Row(N_("Leave a message"), may, ours=True))
    rows.append(Row(N_("When"), HOURS[reached.hours or SafeHours.ANY], ours=True))
    if reached.call_as:
        rows.append(Row(N_("Say that you are"), reached.call_as))
    return tuple(rows)


def _way(reached: SafeContact, *, addressee: str | None) -> Row:
    """How and where to reach the client. `addressee` heads a postal address, as a prisoner number does."""
    if reached.channel is SafeChannel.CLIENT_CALLS:
        return Row(WAYS[reached.channel], N_("They will call you. Please do not call or write."), ours=True)
    written_to = {SafeChannel.EMAIL: reached.email, SafeChannel.POST: reached.addressed_to(addressee)}
    to = written_to.get(reached.channel, reached.telephone and write_telephone(reached.telephone))
    return Row(WAYS[reached.channel], to) if to else Row(WAYS[reached.channel], NOT_GIVEN, ours=True)
