"""Home, and the work queues."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from starlette.responses import HTMLResponse, Response

from chassis.rpc import CommandFailed, NoAnswer
from contracts.commands.console import Assigned, Cursor, NewToMe, Order, QueuePage, WorkQueue
from contracts.commands.intake import ReferralSummary, WaitingContactChange
from contracts.permissions import Permission
from contracts.reference import InvalidReference, parse_reference
from contracts.shape import InvalidShape
from contracts.vocabulary import ClientGroup, RiskLevel
from web.console.pages import duplicates, words
from web.console.pages.desk import ALERTS, Desk, names
from web.shared.staff.listing import AFTER, Listing
from web.shared.staff.visit import Visit

CodeT = TypeVar("CodeT", bound=StrEnum)
MOST_LISTED = 200
OF_NOBODY_YET = frozenset({WorkQueue.NEW_REQUESTS, WorkQueue.CONCERNS})
FILTERS: dict[str, tuple[type[StrEnum], str]] = {
    "assigned": (Assigned, "Whose work"), "client_group": (ClientGroup, "For whom"), "risk_level": (RiskLevel, "Risk"),
}  # fmt: skip


def home(desk: Desk, visit: Visit) -> Response:
    """What needs somebody now. Whoever may see no referral is led to their account."""
    if Permission.SEE_REFERRALS not in visit.me.permissions:
        return visit.go_to("/account")
    new = NewToMe.from_json(desk.ask(visit, "console", "list_new_to_me", limit=1))
    with visit.app.accounts.reading() as work:
        views = work.saved_views.of(visit.me.account_id)
    counts, others = desk.counts(visit.me), _other_work(desk, visit)
    return visit.page("home.html", counts=counts, queues=words.QUEUES, others=others, new=new.total, views=views)


@dataclass(frozen=True)
class OtherWork:
    """Something that waits for people and is no queue of referrals, and how much of it there is; None: not known."""

    path: str
    title: str
    much: int | None


def _other_work(desk: Desk, visit: Visit) -> list[OtherWork]:
    """What else waits for whoever may do something about it."""
    others = (
        ("/duplicates", "Possible duplicates", Permission.MERGE_REQUESTS, duplicates.count),
        ("/contact-changes", "New contacts to check", Permission.CHANGE_CONTACTS, _new_contacts),
    )
    may = visit.me.permissions
    return [OtherWork(path, title, count(desk, visit)) for path, title, needed, count in others if needed in may]


def _new_contacts(desk: Desk, visit: Visit) -> int | None:
    """How many there are to check; None if intake doesn't say."""
    try:
        return len(desk.ask(visit, "intake", "waiting_contacts", limit=MOST_LISTED))
    except (CommandFailed, NoAnswer):
        return None


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
    order, chosen, overdue = _asked(visit)
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


def contact_changes(desk: Desk, visit: Visit) -> Response:
    """New contacts that clients have named, and that a person has to make sure of."""
    answer = desk.ask(visit, "intake", "waiting_contacts", limit=MOST_LISTED)
    return visit.page("contact_changes.html", waiting=[WaitingContactChange.from_json(one) for one in answer])


def filters_in(visit: Visit) -> dict[str, tuple[str, str]]:
    """The filters in the address, as a listing has them."""
    order, chosen, overdue = _asked(visit)
    return _in_use(order, chosen, overdue=overdue)


def _asked(visit: Visit) -> tuple[Order, dict[str, StrEnum | None], bool]:
    order = _chosen(Order, visit.query.get("order")) or Order.DUE
    chosen = {name: _chosen(kind, visit.query.get(name)) for name, (kind, _) in FILTERS.items()}
    return order, chosen, visit.query.get("overdue") == "1"


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
        return Cursor.from_json({"at": at, "subject_id": subject}).to_json()
    except InvalidShape:
        return None
