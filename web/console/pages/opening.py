"""Before you open: whether what the service stands on is there, each line looked up as it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import NamedTuple
from uuid import uuid4

import httpx2
from starlette.responses import Response

from chassis.audit.chain import AuditAction
from chassis.privacy.key_files import PRIVATE_SUFFIX, SIGNING_SUFFIX, readable_keys
from chassis.rpc import CommandFailed, NoAnswer
from contracts.commands.notifications import AlertTestView, RotaDay
from contracts.commands.operations import RecordedEntry, SecretKeys
from contracts.permissions import FrontEnd, Permission, Role
from web.console.pages import words
from web.console.pages.audit import SERVICES, called_as
from web.console.pages.desk import Desk, account_in, command_id_of, id_in, names
from web.shared.accounts.application import letter_tests
from web.shared.accounts.pages.words import ROLES
from web.shared.staff.visit import Visit

PAGE, DAYS = "/before-you-open", 14
SITE_SECONDS, SERVICE_SECONDS = 3.0, 5.0
AT_LEAST = {Role.SAFEGUARDING_LEAD: 2, Role.ADMINISTRATOR: 2, Role.ASSESSOR: 1, Role.MATCHING: 1}
"""Without these the work stops as soon as one person is away, or never begins."""


class Standing(StrEnum):
    DONE = "done"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One line: where it stands, why, what to do next, and the page that mends it; `name` finds its buttons."""

    name: str
    title: str
    standing: Standing
    why: str
    next: str = ""
    path: str = ""


@dataclass(frozen=True)
class Look:
    """What every check is given."""

    desk: Desk
    visit: Visit
    at: Callable[[datetime], str]


def before_you_open(desk: Desk, visit: Visit) -> Response:
    problems: dict[str, str] = {}
    if visit.is_post:
        what, problems = _do(desk, visit)
        if what:
            return visit.go_to(PAGE, done=what)
    look = Look(desk, visit, visit.app.pages.moment)
    checks = [_checked(name, title, check, look) for name, (title, check) in CHECKS.items()]
    with visit.app.accounts.reading() as work:
        letter = work.letter_tests.newest_of(visit.me.account_id)
    test = _newest_test(desk, visit)
    return visit.page(
        "before_you_open.html",
        checks=checks,
        missing=[check for check in checks if check.standing is Standing.MISSING],
        unknown=[check for check in checks if check.standing is Standing.UNKNOWN],
        waits_for_code=letter is not None and letter.is_open(visit.now),
        test=test if test and test.acknowledged_at is None else None,
        may_take=Permission.HANDLE_CONCERNS in visit.me.permissions,
        problems=problems,
        command_id=uuid4(),
    )


def _do(desk: Desk, visit: Visit) -> tuple[str, dict[str, str]]:
    """What was done, and what is wrong with what was typed. Raises AccountRefused, CommandFailed, NoAnswer."""
    match visit.first("do"):
        case "letter":
            letter_tests.send(visit.app.accounts, visit.me.account_id, id_=command_id_of(visit))
            return "letter_sent", {}
        case "code":
            if letter_tests.arrived(visit.app.accounts, visit.me.account_id, visit.first("code")):
                return "letter_arrived", {}
            return "", {"code": "This is not the code of the newest test letter. Look again, or have another one sent."}
        case "alert":
            desk.tell(visit, "notifications", "test_alert")
            return "alert_sent", {}
        case "take" if concern_id := id_in(visit.first("concern")):
            desk.tell(visit, "notifications", "acknowledge_alert", concern_id=concern_id)
            return "test_taken", {}
        case _:
            return "", {}


class Finding(NamedTuple):
    """What a check found: why, what to do next, and the path of the page for that."""

    standing: Standing
    why: str
    next: str = ""
    path: str = ""


done, missing, unknown = (partial(Finding, standing) for standing in Standing)


def _checked(name: str, title: str, check: Callable[[Look], Finding], look: Look) -> Check:
    try:
        return Check(name, title, *check(look))
    except NoAnswer:
        return Check(name, title, Standing.UNKNOWN, "The part of the system that knows it gave no answer.", AGAIN, PAGE)
    except CommandFailed as refused:
        return Check(name, title, Standing.UNKNOWN, refused.message)


AGAIN = "Look again in a minute"


def _services(look: Look) -> Finding:
    def health(service: str) -> Mapping[str, object]:
        answer: Mapping[str, object] = look.desk.ask(look.visit, service, "health", timeout=SERVICE_SECONDS)
        return answer

    found = look.desk.ask_each(SERVICES, health)
    silent = [words.PUBLISHERS[service] for service in SERVICES if service not in found]
    if silent:
        return missing(f"No answer from: {', '.join(silent)}.", "Ask your operator to look at them")
    alarmed = [words.PUBLISHERS[service] for service, health in found.items() if any(_alarms(health).values())]
    if alarmed:
        return missing(f"Something needs a person in: {', '.join(alarmed)}.", "Ask your operator to look")
    return done("Every part of the system answers, and none has an alarm.")


def _alarms(health: Mapping[str, object]) -> Mapping[str, int]:
    alarms = health.get("alarms")
    return alarms if isinstance(alarms, dict) else {}


def _site(look: Look) -> Finding:
    site = look.desk.site
    if site is None:
        return unknown(
            "Where the public site is isn’t known here.",
            "Have your operator set CONSOLE_SITE_URL",
        )
    try:
        is_ready = httpx2.get(f"{site.rstrip('/')}/health/ready", timeout=SITE_SECONDS).status_code == 200
    except httpx2.HTTPError:
        is_ready = False
    if is_ready:
        return done(f"{site} answers.")
    return missing(f"{site} doesn’t answer.", "Ask your operator to look at it")


def _letter(look: Look) -> Finding:
    with look.visit.app.accounts.reading() as work:
        test = work.letter_tests.newest_that_arrived()
        if test and test.arrived_at:
            name = work.accounts.get(test.account_id).account.name
            return done(f"One arrived: {name} typed its code at {look.at(test.arrived_at)}.")
    return missing("Nobody has said yet that a letter arrived.", "Have one sent to you, and type its code")


def _rota(look: Look) -> Finding:
    answer = look.desk.ask(look.visit, "notifications", "rota", days=DAYS)
    days = [RotaDay.from_json(one) for one in answer]
    gaps = [one for one in days if one.staff_id is None]
    if not gaps:
        return done(f"Somebody is on duty for every step on each of the next {DAYS} days.", "", "/rota")
    why = f"Nobody has {len(gaps)} of {len(days)} turns, the first on {words.day(gaps[0].day)}."
    return missing(why, "Plan who is on duty", "/rota")


def _alert(look: Look) -> Finding:
    tests = _tests(look.desk, look.visit)
    taken = next((test for test in tests if test.acknowledged_at and test.acknowledged_by), None)
    if taken and taken.acknowledged_at:
        who = taken.acknowledged_by or ""
        name = called_as(who, names(look.visit, [account_in(who)]))
        minutes = round((taken.acknowledged_at - taken.raised_at).total_seconds() / 60)
        return done(
            f"{name} took one in hand at {look.at(taken.acknowledged_at)}, after {minutes} min.",
        )
    if not tests:
        return missing("No test alert was sent yet.", "Send one to whoever is on duty")
    newest = tests[0]
    reached = f"reached somebody at {look.at(newest.reached_at)}" if newest.reached_at else "reached nobody so far"
    why = f"The newest, of {look.at(newest.raised_at)}, {reached}, and nobody has taken it in hand."
    if newest.escalates_at:
        return missing(
            f"{why} It is with: {words.said(newest.step)}.",
            "Ask them whether they got it",
            "/rota",
        )
    return missing(f"{why} It was with everybody.", "See how they are reached, and send another", "/rota")


def _tests(desk: Desk, visit: Visit) -> list[AlertTestView]:
    return [AlertTestView.from_json(one) for one in desk.ask(visit, "notifications", "test_alerts")]


def _newest_test(desk: Desk, visit: Visit) -> AlertTestView | None:
    try:
        return next(iter(_tests(desk, visit)), None)
    except (CommandFailed, NoAnswer):
        return None


def _keys(look: Look) -> Finding:
    """Each may read its own secret key; where it can read another's, whoever breaks into one has both."""

    def keys(service: str) -> SecretKeys:
        return SecretKeys.from_json(look.desk.ask(look.visit, service, "list_secret_keys"))

    found = look.desk.ask_each(SERVICES, keys)
    shared = [words.PUBLISHERS[service] for service, held in found.items() if _others_keys(service, held)]
    here = SecretKeys(
        readers=readable_keys(look.desk.keys, PRIVATE_SUFFIX), signers=readable_keys(look.desk.keys, SIGNING_SUFFIX)
    )
    if here.readers or set(here.signers) - {FrontEnd.CONSOLE}:
        shared.append("these pages")
    if shared:
        why = f"Secret keys of others can be read by: {', '.join(shared)}."
        return missing(why, "Have your operator give each its own folder of keys (deploy/README.md)")
    if silent := [words.PUBLISHERS[service] for service in SERVICES if service not in found]:
        return unknown(f"No answer from: {', '.join(silent)}.", AGAIN, PAGE)
    return done("Each part of the system can read its own secret key alone.")


def _others_keys(service: str, held: SecretKeys) -> set[str]:
    return {*held.signers, *held.readers} - {service}


def _backup(look: Look) -> Finding:
    answer = look.desk.ask(look.visit, "intake", "list_audit", what=AuditAction.RESTORED.value, limit=1)
    entries = [RecordedEntry.from_json(one) for one in answer]
    if not entries:
        why = "No backup was restored here so far, so nobody knows that one can be."
        return missing(why, "Have your operator make one and restore it (leeward backup, leeward restore)")
    newest = entries[0]
    name = called_as(newest.who, names(look.visit, [account_in(newest.who)]))
    return done(f"{name} restored one at {look.at(newest.at)} ({newest.reason}).", "", "/audit")


def _roles(look: Look) -> Finding:
    with look.visit.app.accounts.reading() as work:
        held = {role: len(work.accounts.holders(role)) for role in Role if role in look.visit.app.accounts.roles}
    told = ", ".join(f"{ROLES[role]}: {number}" for role, number in held.items())
    if few := [f"{ROLES[role]} (at least {least})" for role, least in AT_LEAST.items() if held[role] < least]:
        return missing(f"{told}. Too few: {', '.join(few)}.", "Invite people, and give them roles", "/people")
    return done(f"{told}.", "", "/people")


CHECKS: Mapping[str, tuple[str, Callable[[Look], Finding]]] = {
    "letter": ("A letter arrives", _letter),
    "rota": (f"The rota is filled for {DAYS} days", _rota),
    "alert": ("Somebody takes a test alert in hand", _alert),
    "roles": ("Enough people have each role", _roles),
    "keys": ("Keys are kept apart", _keys),
    "backup": ("A backup was restored", _backup),
    "services": ("Every part of the system is well", _services),
    "site": ("The public site answers", _site),
}
