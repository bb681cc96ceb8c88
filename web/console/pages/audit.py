"""What is on record: who looked, by person and by referral, in the audit logs of all services and of the accounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any
from uuid import UUID

from starlette.responses import Response

from chassis.audit import store
from chassis.audit.anchors import Anchors, read_anchors
from chassis.audit.asking import ask_verdict
from chassis.audit.chain import AuditAction, Verdict
from chassis.rpc import CommandFailed
from contracts.commands.intake import ReferenceOf, ReferralSummary
from contracts.commands.operations import MAX_ANCHORS, RecordedEntry
from contracts.london import LONDON
from contracts.permissions import FrontEnd, Permission, Role
from contracts.reference import InvalidReference, parse_reference
from web.console.pages import words
from web.console.pages.desk import Desk, account_in, id_in, names
from web.shared.accounts.pages.words import ROLES
from web.shared.staff.listing import AFTER, Listing
from web.shared.staff.visit import Visit

A_PAGE, MOST_PEOPLE = 50, 500
CHECK_SECONDS = 60.0
"""How long a service may take to follow its whole chain."""

ACCOUNTS = "accounts"
LOGS = {**words.PUBLISHERS, ACCOUNTS: "Accounts"}
SERVICES = tuple(words.PUBLISHERS)
DEEDS = {
    "exported": "Gathered all that is held", "left_out": "Left something out of it", "held": "Placed a legal hold",
    "hold_lifted": "Lifted a legal hold", "discarded": "Discarded a message that failed",
    "restored": "Restored a backup", "reversed": "Reversed a payment or session",
    "therapist_chosen": "Chose a therapist", "code_given": "Gave a code by telephone",
    "link_renewed": "Sent another link", "refused": "Was refused", "retention_applied": "Applied retention",
    "command_prepared": "Prepared something for two people", "command_confirmed": "Confirmed it as second person",
    "command_declined": "Declined it as second person", "factor_added": "Added a way of signing in",
    "factor_removed": "Removed a way of signing in", "role_granted": "Role given", "role_taken": "Role taken away",
}  # fmt: skip
OTHERS: dict[str, str] = {
    "rule": "By rule", "provider": "Your organisation’s sign-in", "operator": "Somebody at the command line",
    FrontEnd.SITE: "The public site", FrontEnd.ANYBODY: "Somebody without a token",
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which entries a page shows. `who` is their account, `about` a referral's or an account's identifier."""

    logs: Sequence[str] = tuple(LOGS)
    who: UUID | None = None
    about: UUID | None = None
    month: str | None = None
    """`2026-11`."""
    is_own: bool = False

    @property
    def since(self) -> datetime | None:
        """The first moment of the month in London."""
        return datetime(*self._year_and_month(), 1, tzinfo=LONDON) if self.month else None

    @property
    def until(self) -> datetime | None:
        """That of the next one."""
        if not self.month:
            return None
        year, month = self._year_and_month()
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=LONDON)

    def _year_and_month(self) -> tuple[int, int]:
        year, _, month = (self.month or "").partition("-")
        return int(year), int(month)


@dataclass(frozen=True)
class Recorded:
    """A page of entries of several logs, the newest first, and where the next one begins in each log; `away` are the
    logs that could not be asked."""

    entries: Sequence[tuple[str, RecordedEntry]]
    after: str | None
    away: Sequence[str]


def everything(desk: Desk, visit: Visit) -> Response:
    """All that is on record, filtered as the address says."""
    wanted, used, why = _filters(desk, visit)
    recorded = _recorded(desk, visit, wanted)
    with visit.app.accounts.reading() as work:
        people = work.accounts.everybody(MOST_PEOPLE)
    return visit.page(
        "audit.html",
        listing=_listing(visit, "/audit", used, recorded),
        people=people,
        wanted=wanted,
        why=why,
        may_find=Permission.SEE_REFERRALS in visit.me.permissions,
        **_shown(desk, visit, recorded),
    )


def mine(desk: Desk, visit: Visit) -> Response:
    """What is on record of whoever asks."""
    month, log = _month(visit), _log(visit)
    wanted = Wanted(logs=(log,) if log else tuple(LOGS), who=visit.me.account_id, is_own=True, month=month)
    recorded = _recorded(desk, visit, wanted)
    return visit.page(
        "audit_mine.html",
        listing=_listing(visit, "/audit/mine", _used(log, month), recorded),
        wanted=wanted,
        **_shown(desk, visit, recorded),
    )


def looked(desk: Desk, visit: Visit) -> Response:
    """Who looked at a referral, and what else is on record of it; also of one that was erased."""
    referral_id = UUID(str(visit.params["referral"]))
    recorded = _recorded(desk, visit, Wanted(about=referral_id))
    may_see = Permission.SEE_REFERRALS in visit.me.permissions
    return visit.page(
        "looked.html",
        referral_id=referral_id,
        may_see=may_see,
        listing=_listing(visit, visit.path, {}, recorded),
        **_shown(desk, visit, recorded),
    )


def check(desk: Desk, visit: Visit) -> Response:
    """Whether nothing was changed in, or cut off, any log: each is followed from its first entry, past all anchors."""
    found = {log: _verdict_here(desk, visit) if log == ACCOUNTS else None for log in LOGS}

    def ask(service: str) -> Verdict:
        def once(anchors: Sequence[Mapping[str, Any]]) -> Any:
            return desk.ask(visit, service, "audit", timeout=CHECK_SECONDS, anchors=anchors)

        return ask_verdict(once, _anchors(desk, service).anchors, at_once=MAX_ANCHORS)

    found |= desk.ask_each(SERVICES, ask)
    unreadable = {log: len(_anchors(desk, log).unreadable) for log in LOGS}
    return visit.page(
        "audit_check.html", found=found, logs=LOGS, unreadable=unreadable, is_anchored=desk.anchors is not None
    )


def _verdict_here(desk: Desk, visit: Visit) -> Verdict:
    with visit.app.accounts.reading() as work:
        table = visit.app.accounts.database.tables.audit_entry
        return store.check(work.unit.session.connection(), table, _anchors(desk, ACCOUNTS).anchors)


def _anchors(desk: Desk, log: str) -> Anchors:
    return read_anchors(desk.anchors, log) if desk.anchors else Anchors()


def _recorded(desk: Desk, visit: Visit, wanted: Wanted) -> Recorded:
    """Each log is asked for a page behind where the page before ended in it, and the newest of all are shown."""
    before = _cursor(visit.query.get(AFTER, ""))
    found: dict[str, list[RecordedEntry]] = {}
    if ACCOUNTS in wanted.logs:
        found[ACCOUNTS] = _of_accounts(visit, wanted, before.get(ACCOUNTS))
    asked = [log for log in wanted.logs if log in SERVICES]
    found |= desk.ask_each(asked, lambda log: _of_service(desk, visit, log, wanted, before.get(log)))
    logs = [[(log, entry) for entry in entries] for log, entries in found.items()]
    everything = list(merge(*logs, key=lambda one: one[1].at, reverse=True))  # each log keeps its own order
    shown = everything[:A_PAGE]
    for log, entry in shown:
        before[log] = min(entry.sequence, before.get(log, entry.sequence))
    after = "~".join(f"{log}.{number}" for log, number in before.items()) if len(everything) > A_PAGE else None
    return Recorded(shown, after, [LOGS[log] for log in asked if log not in found])


def _of_service(desk: Desk, visit: Visit, log: str, wanted: Wanted, before: int | None) -> list[RecordedEntry]:
    by = f"{FrontEnd.CONSOLE}:{wanted.who}" if wanted.who and not wanted.is_own else None
    command = "list_own_audit" if wanted.is_own else "list_audit"
    answer = desk.ask(
        visit, log, command, subject_id=wanted.about, since=wanted.since, until=wanted.until, before=before,
        limit=A_PAGE + 1, by=by,
    )  # fmt: skip
    return [RecordedEntry.from_json(one) for one in answer]


def _of_accounts(visit: Visit, wanted: Wanted, before: int | None) -> list[RecordedEntry]:
    with visit.app.accounts.reading() as work:
        found = store.page(
            work.unit.session.connection(),
            visit.app.accounts.database.tables.audit_entry,
            who=str(wanted.who) if wanted.who else None,
            subject_id=wanted.about,
            since=wanted.since,
            until=wanted.until,
            before=before,
            limit=A_PAGE + 1,
        )
    return [RecordedEntry(**entry) for entry in found]


@dataclass(frozen=True)
class Row:
    """An entry as it is shown. `subject` is what people call what it is about, and `path` leads there."""

    key: str
    at: datetime
    who: str
    did: str
    why: str
    where: str
    subject: str
    path: str


def _shown(desk: Desk, visit: Visit, recorded: Recorded) -> dict[str, Any]:
    entries = [entry for _, entry in recorded.entries]
    subjects = {entry.subject_id for entry in entries if entry.subject_id}
    called = names(visit, {*(account_in(entry.who) for entry in entries), *subjects})
    references = _references(desk, visit, subjects - called.keys())
    rows = [
        Row(
            key=f"{log}-{entry.sequence}",
            at=entry.at,
            who=called_as(entry.who, called),
            **_did(entry.what, entry.reason),
            where=LOGS[log],
            **_subject(visit, entry.subject_id, called, references),
        )
        for log, entry in recorded.entries
    ]
    return {"rows": rows, "away": recorded.away, "logs": LOGS}


def _did(what: str, reason: str | None) -> dict[str, str]:
    """What somebody did and why. A command that was given is what was done, and its reason stands after a colon."""
    if what == AuditAction.COMMANDED:
        name, _, why = (reason or "").partition(": ")
        return {"did": words.said(name), "why": words.said(why)}
    why = ROLES[Role(reason)] if reason in ROLES else words.said(reason)
    return {"did": DEEDS.get(what) or words.said(what), "why": why}


def _subject(
    visit: Visit, id_: UUID | None, called: Mapping[UUID | None, str], references: Mapping[UUID, str]
) -> dict[str, str]:
    if id_ is None:
        return {"subject": "", "path": ""}
    if id_ in called:
        return {"subject": called[id_], "path": _if_may(visit, f"/audit?about={id_}")}
    if id_ in references:
        return {"subject": references[id_], "path": _if_may(visit, f"/referrals/{id_}/looked")}
    return {"subject": f"…{str(id_)[-8:]}", "path": _if_may(visit, f"/audit?about={id_}")}


def _if_may(visit: Visit, path: str) -> str:
    return path if Permission.CHECK_AUDIT_LOGS in visit.me.permissions else ""


def _references(desk: Desk, visit: Visit, ids: Iterable[UUID]) -> dict[UUID, str]:
    """By which references people know those of these that are referrals, for whoever may see that."""
    wanted = sorted(ids)
    if not wanted or Permission.SEE_REFERRALS not in visit.me.permissions:
        return {}
    answer = desk.ask_each(("intake",), lambda _: desk.ask(visit, "intake", "references", referral_ids=wanted))
    return {one.referral_id: one.reference for one in map(ReferenceOf.from_json, answer.get("intake", ()))}


def called_as(who: str, called: Mapping[UUID | None, str]) -> str:
    if (account_id := account_in(who)) is not None:
        return called.get(account_id, "Somebody whose account is gone")
    if who.startswith("therapist "):
        return f"A therapist (…{who[-8:]})"
    front_end, _, name = who.partition(":")
    if front_end == FrontEnd.OPERATOR and name:
        return f"{name}, at the command line"
    return OTHERS.get(who, who)


def _filters(desk: Desk, visit: Visit) -> tuple[Wanted, dict[str, tuple[str, str]], str]:
    """What the address asks for, the filters in use, and what is wrong with what was typed."""
    month, log, why = _month(visit), _log(visit), ""
    person, about = id_in(visit.query.get("person")), id_in(visit.query.get("about"))
    typed = visit.query.get("about", "").strip()[:40]
    if typed and about is None:
        about, why = _find(desk, visit, typed)
    used = _used(log, month)
    called = names(visit, [person, about])
    if person:
        used["person"] = (str(person), f"By {called.get(person, 'somebody whose account is gone')}")
    if about:
        known = called.get(about) or _references(desk, visit, [about]).get(about)
        used["about"] = (str(about), f"About {known or '…' + str(about)[-8:]}")
    wanted = Wanted(logs=(log,) if log else tuple(LOGS), who=person, about=about, month=month)
    return wanted, used, why


def _find(desk: Desk, visit: Visit, typed: str) -> tuple[UUID | None, str]:
    """The referral with this reference, or why there is none."""
    if Permission.SEE_REFERRALS not in visit.me.permissions:
        return None, "You may not look for a referral by its reference."
    try:
        answer = desk.ask(visit, "intake", "find_referral", reference=parse_reference(typed))
        return ReferralSummary.from_json(answer).referral_id, ""
    except InvalidReference as wrong:
        return None, str(wrong)
    except CommandFailed as refused:
        return None, refused.message


def _used(log: str | None, month: str | None) -> dict[str, tuple[str, str]]:
    used = {"service": (log, f"Where: {LOGS[log]}")} if log else {}
    return used | ({"month": (month, f"Month: {month}")} if month else {})


def _listing(visit: Visit, path: str, used: Mapping[str, tuple[str, str]], recorded: Recorded) -> Listing:
    here = visit.query.get(AFTER, "")
    return Listing(path, used, here if _cursor(here) else "", recorded.after)


def _log(visit: Visit) -> str | None:
    asked = visit.query.get("service", "")
    return asked if asked in LOGS else None


def _month(visit: Visit) -> str | None:
    """`2026-11`; a mistyped one is none."""
    typed = visit.query.get("month", "")
    return typed if re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", typed) else None


def _cursor(text: str) -> dict[str, int]:
    """Where a page begins in each log, from the address; a mistyped one is the first page's."""
    parts = (part.partition(".") for part in text.split("~") if part)
    return {log: int(number) for log, _, number in parts if log in LOGS and re.fullmatch("[1-9][0-9]{0,8}", number)}
