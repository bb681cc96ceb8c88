"""Home, and the work queues."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from starlette.responses import HTMLResponse, Response

from chassis.rpc import CommandFailed
from contracts.commands.console import Assigned, Order, QueuePage, WorkQueue
from contracts.commands.intake import ReferralSummary
from contracts.permissions import Permission
from contracts.reference import InvalidReference, parse_reference
from contracts.vocabulary import ClientGroup, RiskLevel
from web.console.pages import words
from web.console.pages.desk import ALERTS, Desk, names
from web.shared.staff.listing import AFTER, Listing
from web.shared.staff.visit import Visit

CodeT = TypeVar("CodeT", bound=StrEnum)
OF_NOBODY_YET = frozenset({WorkQueue.NEW_REQUESTS, WorkQueue.CONCERNS})
FILTERS: dict[str, tuple[type[StrEnum], str]] = {
    "assigned": (Assigned, "Whose work"), "client_group": (ClientGroup, "For whom"), "risk_level": (RiskLevel, "Risk"),
}  # fmt: skip


def home(desk: Desk, visit: Visit) -> Response:
    """What needs somebody now. Whoever may see no referral is led to their account."""
    if Permission.SEE_REFERRALS not in visit.me.permissions:
        return visit.go_to("/account")
    return visit.page("home.html", counts=desk.counts(visit.me), queues=words.QUEUES)


def queue(desk: Desk, visit: Visit) -> Response:
    """A page of a queue, filtered and ordered as the address says.

    What open pages take of it is the same for all with the same permissions, unless it lists somebody's own work.
    """
    asked = WorkQueue(str(visit.params["queue"]))
    if not visit.is_fragment or visit.query.get("assigned") == Assigned.MINE:
        return visit.page("queue.html", **_queue(desk, visit, asked))
    key = (visit.target, visit.me.permissions)
    topics = frozenset({f"queue:{asked.value}", ALERTS})
    return HTMLResponse(
        desk.shared.body(key, topics, lambda: visit.fragment("queue.html", **_queue(desk, visit, asked)))
    )


def _queue(desk: Desk, visit: Visit, asked: WorkQueue) -> dict[str, Any]:
    """What the page shows."""
    order = _chosen(Order, visit.query.get("order")) or Order.DUE
    chosen = {name: _chosen(kind, visit.query.get(name)) for name, (kind, _) in FILTERS.items()}
    overdue = visit.query.get("overdue") == "1"
    after = _cursor(visit.query.get(AFTER, ""))
    answer = desk.ask(
        visit, "console", "queue", queue=asked.value, order=order.value, overdue=overdue, after=after,
        **{name: code.value for name, code in chosen.items() if code},
    )  # fmt: skip
    page = QueuePage.from_json(answer)
    listing = Listing(
        f"/work/{asked.value}",
        _in_use(order, chosen, overdue=overdue),
        visit.query.get(AFTER, "") if after else "",
        f"{page.after.at.isoformat()}~{page.after.subject_id}" if page.after else None,
    )
    return {
        "queue": asked,
        "heading": words.QUEUES[asked],
        "page": page,
        "references": desk.references(visit, (item.referral_id for item in page.items)),
        "listing": listing,
        "order": order,
        "chosen": chosen,
        "overdue": overdue,
        "names": names(visit, (item.assigned_to for item in page.items)),
        "filters": FILTERS,
    }


def find(desk: Desk, visit: Visit) -> Response:
    """Leads to the referral with this reference."""
    typed = visit.query.get("reference", "").strip()[:40]
    if not typed:
        return visit.page("find.html", typed="", why="")
    try:
        reference = parse_reference(typed)
        found = ReferralSummary.from_json(desk.ask(visit, "intake", "find_referral", reference=reference))
    except InvalidReference as wrong:
        return visit.page("find.html", typed=typed, why=str(wrong))
    except CommandFailed as refused:
        return visit.page("find.html", typed=typed, why=refused.message)
    return visit.go_to(f"/referrals/{found.referral_id}")


def _in_use(order: Order, chosen: dict[str, StrEnum | None], *, overdue: bool) -> dict[str, tuple[str, str]]:
    used = {name: (code.value, f"{FILTERS[name][1]}: {words.said(code)}") for name, code in chosen.items() if code}
    if overdue:
        used["overdue"] = ("1", "Overdue")
    if order is not Order.DUE:
        used["order"] = (order.value, words.ORDERS[order])
    return used


def _chosen(kind: type[CodeT], value: str | None) -> CodeT | None:
    try:
        return kind(value) if value else None
    except ValueError:
        return None


def _cursor(text: str) -> dict[str, Any] | None:
    """Where a page begins, from the address; a mistyped one is the first page's."""
    at, _, subject = text.partition("~")
    try:
        return {"at": at, "subject_id": str(UUID(subject))} if at else None
    except ValueError:
        return None
