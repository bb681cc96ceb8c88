"""A referral: where it stands, what can be done next, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from starlette.responses import Response

from chassis.privacy.ephemeral_key import OneTimeKey
from contracts.commands.console import EventSeen
from contracts.commands.intake import History
from contracts.commands.subject import Holding, ReadingReason, SealedHolding
from contracts.london import LONDON
from contracts.permissions import Permission
from web.console.pages import words
from web.console.pages.desk import Desk, names, seen_of
from web.console.pages.steps import FORMS
from web.shared.staff.visit import Visit

EVENTS_A_PAGE = 40
SHOWN_FOR_SECONDS = 300
"""How long personal data stays on a page that nobody has left."""


def show(desk: Desk, visit: Visit) -> Response:
    facts = desk.referral(visit)
    if facts.is_new_to_me and not visit.is_fragment:
        desk.ask(visit, "console", "note_opened", referral_id=facts.referral_id)
    history = History.from_json(desk.ask(visit, "intake", "history", referral_id=facts.referral_id))
    seen = [EventSeen.from_json(one) for one in _events(desk, visit)]
    called = names(visit, [facts.assigned_to, *(event.account_id for event in seen)])
    return visit.page(
        "referral.html",
        facts=facts,
        steps=[FORMS[step] for step in history.possible if step in FORMS and _may(visit, FORMS[step].permission)],
        may_take_up="take_up" in history.possible and _may(visit, Permission.ASSESS),
        may_assess="assess" in history.possible and _may(visit, Permission.ASSESS),
        days=_by_day(seen, called),
        before=seen[-1].position if len(seen) == EVENTS_A_PAGE else None,
        names=called,
        may=lambda permission: _may(visit, Permission(permission)),
        me=visit.me.account_id,
    )


def _events(desk: Desk, visit: Visit) -> list[object]:
    if not _may(visit, Permission.SEE_EVENTS):
        return []
    before = visit.query.get("before", "")
    answer: list[object] = desk.ask(
        visit, "console", "list_events", referral_id=visit.params["referral"], limit=EVENTS_A_PAGE,
        before=int(before) if before.isdecimal() and 0 < len(before) < 16 else None,
    )  # fmt: skip
    return answer


def _may(visit: Visit, permission: Permission) -> bool:
    return permission in visit.me.permissions


@dataclass(frozen=True)
class Happened:
    """An event in words. `who` did it, where that was a person or the client."""

    position: int
    at: datetime
    title: str
    who: str
    part: str
    more: tuple[str, ...]


TOLD = ("reason", "template", "channel", "severity", "category", "outcome", "respondent", "stage", "held_for")
"""The codes of events that say something to people."""


def _by_day(seen: list[EventSeen], called: Mapping[UUID | None, str]) -> list[tuple[datetime, list[Happened]]]:
    """By the day in London, the newest first."""
    days: dict[date, list[Happened]] = {}
    for event in seen:
        days.setdefault(event.happened_at.astimezone(LONDON).date(), []).append(_happened(event, called))
    return [(events[0].at, events) for events in days.values()]


def _happened(event: EventSeen, called: Mapping[UUID | None, str]) -> Happened:
    told = {fact.name: fact.value for fact in event.facts}
    title, who = words.event_name(event.event), ""
    if event.event == "ReferralStepTaken":
        title = words.STEPS.get(told.get("step", ""), told.get("step", ""))
        who = called.get(event.account_id, SOMEBODY_GONE) if event.account_id else words.said(told.get("taken_by"))
    return Happened(
        position=event.position,
        at=event.happened_at,
        title=title,
        who=who,
        part=words.PUBLISHERS.get(event.publisher, event.publisher),
        more=tuple(words.said(told[name]) for name in TOLD if told.get(name)),
    )


SOMEBODY_GONE = "somebody who has left"


def take_up(desk: Desk, visit: Visit) -> Response:
    referral_id = visit.params["referral"]
    desk.tell(visit, "intake", "take_up", referral_id=referral_id, seen=seen_of(visit))
    return visit.go_to(f"/referrals/{referral_id}", done="taken_up")


def assign(desk: Desk, visit: Visit) -> Response:
    """Makes it mine, or nobody's."""
    referral_id = visit.params["referral"]
    account_id = visit.me.account_id if visit.first("to") == "me" else None
    instead_of = visit.first("instead_of") or None
    desk.tell(visit, "console", "assign", referral_id=referral_id, account_id=account_id, instead_of=instead_of)
    return visit.go_to(f"/referrals/{referral_id}", done="assigned")


def read_record(desk: Desk, visit: Visit) -> Response:
    """What somebody wrote, for a reason that is on record. The page closes by itself."""
    facts = desk.referral(visit)
    reason = next((one for one in ReadingReason if one.value == visit.first("reason")), None)
    if not visit.is_post or reason is None:
        problems = {"reason": "Say why you look."} if visit.is_post else {}
        return visit.page("record_reason.html", facts=facts, reasons=list(ReadingReason), problems=problems)
    key = OneTimeKey()
    answer = desk.ask(
        visit, "intake", "read_record", referral_id=facts.referral_id, reason=reason.value, seal_to=key.public
    )
    held = key.open(Holding, SealedHolding.from_json(answer).sealed)
    response = visit.page("record.html", facts=facts, sections=held.sections, minutes=SHOWN_FOR_SECONDS // 60)
    response.headers["Refresh"] = f"{SHOWN_FOR_SECONDS}; url=/referrals/{facts.referral_id}"
    return response
