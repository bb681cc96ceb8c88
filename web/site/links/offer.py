"""The page of an offer: what a therapist needs to judge it by, and accepting or declining it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import structlog
from starlette.responses import Response

from contracts.commands.matching import OfferPage
from contracts.labels import LANGUAGES
from contracts.london import LONDON
from contracts.sealed import OfferAnswer
from contracts.vocabulary import AgeBand, ClientGroup, DeclineReason, RiskLevel, Sessions, Work
from web.shared.texts import N_
from web.site.links.link import Link, OpenedLink, was_sent
from web.site.visit import Visit

LINK: Link[OfferPage] = Link("offer", lambda visit, secret: visit.site.enquiry.open_offer(secret))
GROUPS = {
    ClientGroup.AT_RISK: N_("Worried about their own thoughts or behaviour"),
    ClientGroup.OFFENDED: N_("Has offended, or is accused of it"),
    ClientGroup.IN_PRISON: N_("In prison"),
    ClientGroup.FAMILY: N_("A partner or family member"),
    ClientGroup.SURVIVOR: N_("A survivor"),
    ClientGroup.YOUNG_PERSON: N_("A young person"),
}
RISKS = {RiskLevel.LOWER: N_("Lower"), RiskLevel.HIGHER: N_("Higher")}
AGES = {
    AgeBand.UNDER_18: N_("Under 18"),
    AgeBand.FROM_18: N_("18 to 24"),
    AgeBand.FROM_25: N_("25 to 34"),
    AgeBand.FROM_35: N_("35 to 44"),
    AgeBand.FROM_45: N_("45 to 54"),
    AgeBand.FROM_55: N_("55 to 64"),
    AgeBand.FROM_65: N_("65 and over"),
    AgeBand.UNKNOWN: N_("Not known"),
}
WORK = {
    Work.INDIVIDUAL: N_("One to one"),
    Work.PARTNER: N_("With a partner of somebody who has offended"),
    Work.COUPLE: N_("With a couple, together"),
}
REASONS = {
    DeclineReason.NO_ROOM: N_("I have no room at the moment"),
    DeclineReason.AWAY: N_("I am away for a while"),
    DeclineReason.OUTSIDE_EXPERIENCE: N_("It is outside my experience"),
    DeclineReason.CONFLICT_OF_INTEREST: N_("There is a conflict of interest"),
}
CHOOSE_A_REASON = N_("Choose why you decline")
NO_DAY = N_("Enter the day from which we can ask you again, in the coming year")
LONGEST_AWAY = timedelta(days=366)

log = structlog.get_logger()


@LINK.opens
def answer(visit: Visit, opened: OpenedLink[OfferPage]) -> Response:
    """The facts, and the button that accepts."""
    if not opened.is_open:
        return _how_it_stands(visit, opened)
    if visit.is_post:
        return _send(visit, opened, OfferAnswer(token=opened.secret, accepted=True))
    if was_sent(visit):
        return visit.page("link_have_it.html", is_client=False)
    facts = opened.page.facts
    return visit.page("offer.html", facts=_in_words(opened.page) if facts else (), facts_of=facts, handle=opened.handle)


@LINK.opens
def decline(visit: Visit, opened: OpenedLink[OfferPage]) -> Response:
    if not opened.is_open:
        return _how_it_stands(visit, opened)
    problems: dict[str, str] = {}
    if visit.is_post:
        reason = next((reason for reason in DeclineReason if reason.value == visit.first("reason")), None)
        until = _day(visit) if reason is DeclineReason.AWAY else None
        if reason is None:
            problems["reason"] = CHOOSE_A_REASON
        elif reason is DeclineReason.AWAY and until is None:
            problems["until"] = NO_DAY
        else:
            return _send(visit, opened, OfferAnswer(token=opened.secret, accepted=False, reason=reason, until=until))
    return visit.page(
        "offer_decline.html",
        status=422 if problems else 200,
        reasons=REASONS,
        chosen=visit.first("reason"),
        typed={part: visit.first(part) for part in ("day", "month", "year")},
        problems=problems,
        handle=opened.handle,
    )


def _send(visit: Visit, opened: OpenedLink[OfferPage], said: OfferAnswer) -> Response:
    receipt = visit.site.publisher.answer_offer(said)
    log.info("offer_answered", submission_id=str(receipt.submission_id), delivered=receipt.delivered)
    return opened.after_sending(visit)


def _how_it_stands(visit: Visit, opened: OpenedLink[OfferPage]) -> Response:
    return visit.page(
        "offer_stands.html",
        status=409 if visit.is_post else 200,
        state=opened.page.state.value,
        accepted=opened.page.accepted,
        late=visit.is_post,
    )


def _in_words(page: OfferPage) -> tuple[tuple[str, str, Mapping[str, object]], ...]:
    """Each fact as its label, its text, and the values that are filled into the text."""
    facts = page.facts
    assert facts is not None
    online, km = facts.sessions is Sessions.ONLINE, round(facts.distance_km)
    pounds = {"fee": _pounds(facts.session_fee_pence)}
    rows: list[tuple[str, str, Mapping[str, object]]] = [
        (N_("Who"), GROUPS[facts.client_group], {}),
        (N_("Age"), AGES[facts.age_band or AgeBand.UNKNOWN], {}),
        (N_("Kind of work"), WORK[facts.work], {}),
        (N_("Language"), "%(language)s", {"language": LANGUAGES.get(facts.language, facts.language)}),
        (
            N_("Where"),
            N_("Online")
            if online
            else N_("In person, about %(km)s km from you")
            if km
            else N_("In person, close to you"),
            {"km": km} if km and not online else {},
        ),
        (N_("Your fee"), N_("%(fee)s a session"), pounds),
    ]
    if facts.interpreter_language:
        language = LANGUAGES.get(facts.interpreter_language, facts.interpreter_language)
        rows.insert(4, (N_("Interpreter"), "%(language)s", {"language": language}))
    if facts.risk_level:
        rows.insert(2, (N_("Level of risk"), RISKS[facts.risk_level], {}))
    if facts.subsidy_pence:
        rows.append((N_("Paid by a fund"), N_("%(fee)s a session"), {"fee": _pounds(facts.subsidy_pence)}))
    if facts.most_pence is not None:
        rows.append((N_("The client can pay"), N_("up to %(fee)s a session"), {"fee": _pounds(facts.most_pence)}))
    return tuple(rows)


def _pounds(pence: int) -> str:
    return f"£{pence // 100}" if pence % 100 == 0 else f"£{pence / 100:.2f}"


def _day(visit: Visit) -> date | None:
    """The day that was typed, if it is one of the coming year, in London."""
    today = visit.site.clock.now().astimezone(LONDON).date()
    try:
        day = date(*(int(visit.first(part)) for part in ("year", "month", "day")))
    except (ValueError, OverflowError):
        return None
    return day if today < day <= today + LONGEST_AWAY else None
