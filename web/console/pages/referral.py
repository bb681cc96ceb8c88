"""A referral: where it stands, what can be done next, and what happened."""

from __future__ import annotations

from starlette.responses import Response

from chassis.privacy.ephemeral_key import OneTimeKey
from contracts.commands.console import EventSeen
from contracts.commands.intake import History
from contracts.commands.subject import Holding, ReadingReason, SealedHolding
from contracts.permissions import Permission
from web.console.pages.desk import Desk, names, seen_of
from web.console.pages.steps import FORMS
from web.shared.staff.visit import Visit

EVENTS_A_PAGE = 40
SHOWN_FOR_SECONDS = 300
"""How long personal data stays on a page that nobody has left."""


def show(desk: Desk, visit: Visit) -> Response:
    facts = desk.referral(visit)
    history = History.from_json(desk.ask(visit, "intake", "history", referral_id=facts.referral_id))
    seen = [EventSeen.from_json(one) for one in _events(desk, visit)]
    accounts = [facts.assigned_to, *(event.account_id for event in seen)]
    return visit.page(
        "referral.html",
        facts=facts,
        steps=[FORMS[step] for step in history.possible if step in FORMS and _may(visit, FORMS[step].permission)],
        may_take_up="take_up" in history.possible and _may(visit, Permission.ASSESS),
        may_assess="assess" in history.possible and _may(visit, Permission.ASSESS),
        days=_by_day(seen),
        before=seen[-1].position if len(seen) == EVENTS_A_PAGE else None,
        names=names(visit, accounts),
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


def _by_day(seen: list[EventSeen]) -> list[tuple[str, list[EventSeen]]]:
    days: dict[str, list[EventSeen]] = {}
    for event in seen:
        days.setdefault(f"{event.happened_at:%Y-%m-%d}", []).append(event)
    return list(days.items())


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
